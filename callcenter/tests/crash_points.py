"""The crash points that the product's code names, read from it: none can be added and not be tried."""

from __future__ import annotations

import re

from callcenter.tests.environment import ROOT


def crash_points() -> list[str]:
    """Every name that `crash_point` is called with, in the order of the files and lines."""
    files = sorted(path for app in ("requests_app", "telephony", "helpdesk") for path in (ROOT / app).rglob("*.py"))
    return [
        name
        for path in files
        if "tests" not in path.relative_to(ROOT).parts
        for name in re.findall(r'\bcrash_point\("(\w+)"\)', path.read_text(encoding="utf-8"))
    ]
