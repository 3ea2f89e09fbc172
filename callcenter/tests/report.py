"""How a test run went: written by the half that ran, read back and added up for the last lines of `bin/test`.

`python -m callcenter.tests.report embedded=FILE servers=FILE` prints the table; its exit code is 1 when anything
failed or a half has no report.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def write_report(path: Path, stats: Mapping[str, Sequence[Any]], *, seconds: float, engines: str, ended: bool) -> None:
    """Write the counts of pytest's terminal reporter as JSON.

    Shape: an error outside a test's body counts as failed, an expected failure as skipped; `ended` is False when the
    run was interrupted, which counts as one failure more.
    """
    reasons = Counter(_reason(report) for report in stats.get("skipped", ()))
    report = {
        "passed": len(stats.get("passed", ())) + len(stats.get("xpassed", ())),
        "failed": len(stats.get("failed", ())) + len(stats.get("error", ())) + (0 if ended else 1),
        "skipped": len(stats.get("skipped", ())) + len(stats.get("xfailed", ())),
        "reasons": dict(reasons),
        "seconds": round(seconds, 1),
        "engines": engines,
    }
    path.write_text(json.dumps(report), encoding="utf-8")


def _reason(report: Any) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def summary(halves: Mapping[str, Path]) -> tuple[str, bool]:
    """The table with one line per half, the reasons for skipping and the plain last line; and whether all is well."""
    lines = ["", f"{'half':<10} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}  engines"]
    total: Counter[str] = Counter()
    skips: list[str] = []
    for half, path in halves.items():
        if path.is_file():
            report = json.loads(path.read_text(encoding="utf-8"))
        else:
            report = {"failed": 1, "engines": "the run broke off before its end; see above"}
        row = {name: report.get(name, 0) for name in ("passed", "failed", "skipped")}
        total.update(row)
        counts = f"{row['passed']:>7} {row['failed']:>7} {row['skipped']:>8}"
        lines.append(f"{half:<10} {counts} {report.get('seconds', 0.0):>8.1f}  {report['engines']}")
        skips += [f"  {half}: {count} × {reason}" for reason, count in report.get("reasons", {}).items()]
    if skips:
        lines += ["", "Not run:", *skips]
    lines += ["", f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped"]
    return "\n".join(lines), total["failed"] == 0 and total["passed"] > 0


def main(words: Sequence[str]) -> int:
    """Print the summary of the named reports; 0 when all passed."""
    halves = {half: Path(path) for half, _, path in (word.partition("=") for word in words)}
    text, all_well = summary(halves)
    sys.stdout.write(text + "\n")
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
