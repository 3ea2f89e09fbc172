"""A process that has loaded the product once and forks its workers, so that killing many costs no time of starting.

`Nursery` is the caller's end. The program (`python -m callcenter.tests.nursery APP`) takes a line of JSON and answers
with one. What it forked ends with it, however it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from callcenter.tests.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

_PR_SET_PDEATHSIG: Final = 1
# Long enough for a processor that is shared by much else.
_LOAD_SECONDS: Final = 120


class Nursery:
    """The processes of one Celery application, each in a group of its own; use it in a `with`, which kills them."""

    def __init__(self, environment: Mapping[str, str], *, app: str = "callcenter", log: Path | None = None) -> None:
        self._environment, self._app, self._log = environment, app, log

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as files:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "callcenter.tests.nursery", self._app],
                cwd=ROOT,
                env=dict(self._environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=files.enter_context(self._log.open("ab")) if self._log else None,
                text=True,
                start_new_session=True,
                preexec_fn=_die_with_the_parent,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=_LOAD_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def start(self, *words: str, crash_at: str = "") -> int:
        """The id of a new process: `celery` with these words; it dies at that crash point, if one is named."""
        return int(self._asked(do="start", words=words, crash_at=crash_at))

    def kill(self, pid: int) -> int:
        """The exit code of that process, which is ended as by a power cut, with all its children."""
        return int(self._asked(do="kill", pid=pid))

    def ended(self, pid: int) -> int | None:
        """The exit code of that process; None while it runs. Ask no more of one that has ended."""
        code = self._asked(do="look", pid=pid)
        return None if code is None else int(code)

    def wait(self, pid: int, *, seconds: float) -> int | None:
        """The exit code of that process once it has ended by itself; None when it has not in time."""
        deadline = time.monotonic() + seconds
        while (code := self.ended(pid)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return code

    def _asked(self, **what: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the nursery ended at {what}")
        return json.loads(line)


def _serve(app_name: str) -> None:
    """The program: one line of JSON in, one out, until there are no more."""
    from celery.app.utils import find_app  # noqa: PLC0415

    app = find_app(app_name)
    app.loader.import_default_modules()
    app.finalize()
    # What every child needs is loaded before they are born.
    for name in ("apps.beat", "apps.worker", "bin.celery", "concurrency.thread", "worker.consumer"):
        import_module(f"celery.{name}")
    # What is never collected is never copied.
    gc.freeze()
    pids: set[int] = set()
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            said: int | None
            if asked["do"] == "start":
                said = born = _forked(app, asked["words"], crash_at=asked["crash_at"])
                pids.add(born)
            else:
                said = _ended(asked["pid"], is_killed=asked["do"] == "kill")
                pids -= {asked["pid"]} if said is not None else set()
            sys.stdout.write(f"{json.dumps(said)}\n")
            sys.stdout.flush()
    finally:
        for pid in pids:
            _ended(pid, is_killed=True)


def _ended(pid: int, *, is_killed: bool) -> int | None:
    if is_killed:
        # The whole group: a worker may have beat as its child.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    found, status = os.waitpid(pid, 0 if is_killed else os.WNOHANG)
    if found and not is_killed:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status) if found else None


def _forked(app: Any, words: list[str], *, crash_at: str) -> int:
    pid = os.fork()
    if not pid:
        _become(app, words, crash_at=crash_at)
    # Whichever is first: a group must exist before anybody kills it.
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)
    return pid


def _become(app: Any, words: list[str], *, crash_at: str) -> NoReturn:
    """Be that program from here on."""
    from callcenter.lib import crashing  # noqa: PLC0415

    code = 1
    try:
        with contextlib.suppress(PermissionError):
            os.setpgid(0, 0)
        _die_with_the_parent()
        # The pipes are the nursery's own.
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        crashing._CRASH_AT = crash_at  # type: ignore[misc]  # read once, when the module was loaded
        code = app.start(["--quiet", *words]) or 0
    finally:
        os._exit(code)


def _die_with_the_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _serve(sys.argv[1])
