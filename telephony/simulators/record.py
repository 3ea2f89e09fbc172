"""The record of the phones that rang: one JSON line for each call, on the disk before anybody hears of the call."""

import json
import os
import threading
from pathlib import Path
from typing import Any


class CallRecord:
    """The dialed calls, in memory and, given a path, in a file that outlives a SIGKILL or a power cut."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._calls: list[dict[str, Any]] = []
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, call: dict[str, Any]) -> None:
        """Keep a call; it is on the disk when this returns."""
        line = (json.dumps(call, ensure_ascii=False) + "\n").encode()
        with self._lock:
            if self._file is not None:
                os.write(self._file, line)
                os.fsync(self._file)
            self._calls.append(call)

    def calls(self) -> list[dict[str, Any]]:
        """The calls since the start or the last ``clear``, oldest first."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        """Forget every call, the file's lines included."""
        with self._lock:
            self._calls.clear()
            if self._file is not None:
                os.ftruncate(self._file, 0)
