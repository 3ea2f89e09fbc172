"""The demo's passwords, API keys and simulator settings, in two files of `DATA_DIR` that only their owner may read."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callcenter.demo.setting import Access


def save_access(access: Access) -> None:
    """Keep the passwords and keys, which are stored only as digests elsewhere, for the greetings of later starts."""
    _write_private(_access_file(), json.dumps(access, indent=1, ensure_ascii=False) + "\n")


def saved_access() -> Access:
    """The passwords, keys and tokens by e-mail address; all empty when the file was removed."""
    nothing: Access = {"passwords": {}, "api_keys": {}, "tokens": {}}
    try:
        return {**nothing, **json.loads(_access_file().read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return nothing


def save_simulator_settings(callbacks: Iterable[str]) -> None:
    """Write what `bin/run` hands to the simulators, as a file that a shell can source."""
    _write_private(_data_dir() / "demo.env", f"DIRECTCALL_SIM_CALLBACK={shlex.quote(' '.join(callbacks))}\n")


def _access_file() -> Path:
    return _data_dir() / "demo.json"


def _data_dir() -> Path:
    return Path(settings.DATA_DIR)


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step; nobody else may read it at any moment."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
    new.replace(path)
