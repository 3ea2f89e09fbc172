"""The product's own programs as processes of a test: web, worker with beat, and the means to kill them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import requests

from callcenter.tests.engines import free_port
from callcenter.tests.environment import ROOT, program_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

START_SECONDS = 60


def wait_until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first true value of `condition`, asked every tenth of a second.

    Errors: `AssertionError` naming `what` did not happen in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class Stack:
    """Web and worker on this test's database and broker; use it in a `with`. The test must commit what they should see.

    `settings` are environment variables for both, on top of quick ticks and short waits.
    """

    def __init__(self, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        quick = {
            "DIALER_TICK_SECONDS": "0.5",
            "DIALER_SWEEP_SECONDS": "1",
            "PUBLIC_URL": self.url,
            "LOG_LEVEL": "WARNING",
        }
        self.settings = {**quick, **settings}
        self._environment = program_environment(**self.settings)
        self._web: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._web = self._start(
            "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--no-ws",
            "--http", "1", "--blocking-threads", "4", "--log-level", "warning", "callcenter.wsgi:application",
        )  # fmt: skip
        try:
            wait_until(self._is_up, seconds=START_SECONDS, what="the web process answers")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_worker(self, *, threads: int = 4, crash_at: str = "") -> None:
        """Start the worker with beat inside; it dies at that crash point, if one is named."""
        self._worker = self._start(
            "celery", "--quiet", "--app", "callcenter", "worker", "--beat", "--pool", "threads",
            "--concurrency", str(threads), "--loglevel", "WARNING", CRASH_AT=crash_at,
        )  # fmt: skip

    def crash_worker(self, point: str, *, within_seconds: float) -> bool:
        """Whether the worker, started anew, died at that point of the code in time; killed otherwise. None is left."""
        if self._worker is not None:
            self.kill_worker()
        self.start_worker(crash_at=point)
        assert self._worker is not None
        try:
            has_crashed = self._worker.wait(timeout=within_seconds) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            has_crashed = False
        self.kill_worker()
        return has_crashed

    def kill_worker(self) -> None:
        """End the worker as a power cut would, with everything it was doing."""
        assert self._worker is not None
        # The whole group: beat is a child of the worker.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker.wait()
        self._worker = None

    def kill_worker_at_random(self, times: int, *, chance: random.Random, between: tuple[float, float]) -> None:
        """Kill the worker so often, after a random time within `between` (seconds) each, and start it anew."""
        for _ in range(times):
            time.sleep(chance.uniform(*between))
            self.kill_worker()
            self.start_worker()

    def stop(self) -> None:
        """End both, asking first."""
        for process in (self._worker, self._web):
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._worker = self._web = None

    def _start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _is_up(self) -> bool:
        assert self._web is not None
        assert self._web.poll() is None, "the web process ended"
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False
