"""The eight workers of `bench.faults` and beat: who is killed, who dies at which crash point, who replaces them."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from callcenter.tests.nursery import Nursery

WORKERS: Final = 8
# So many wait at once for the point at which they are to die; the others are there to be killed at random.
MOST_ARMED: Final = 3
SETTINGS: Final = {
    "DIALER_LEASE_SECONDS": "10",
    "DIALER_RING_TIMEOUT_SECONDS": "10",
    "DIALER_TALK_TIMEOUT_SECONDS": "60",
    "DIALER_TICK_SECONDS": "1",
    "DIALER_SWEEP_SECONDS": "2",
    "DIALER_BREAKER_SECONDS": "2",
    "DIGITRO_READ_TIMEOUT_SECONDS": "2",
    "LOG_LEVEL": "CRITICAL",
}


class Crew:
    """Eight worker processes at any moment; one that died is replaced at once."""

    def __init__(self, nursery: Nursery, *, chance: random.Random, points: Sequence[str]) -> None:
        self._nursery, self._chance = nursery, chance
        self._points = list(points)
        self._waiting = list(points)
        self._workers: dict[int, str] = {}
        self._born = 0
        self._killed = 0
        self._reached: Counter[str] = Counter()
        self._ended = 0

    def start(self) -> None:
        """Have beat and eight workers run."""
        self._nursery.start("beat", "--pidfile=", "--loglevel", "CRITICAL")
        for _ in range(WORKERS):
            self._hire()

    def kill_one(self) -> None:
        """Kill a worker, whatever it does; not one that is to die by itself."""
        pid = self._chance.choice([pid for pid, point in self._workers.items() if not point])
        self._nursery.kill(pid)
        del self._workers[pid]
        self._killed += 1
        self._hire()

    def look(self) -> None:
        """Replace those that died at their crash point, and those that ended by themselves, as a supervisor would.

        Celery's worker may end when its broker goes: its Redis transport stumbles over the lost connection.
        """
        for pid, point in list(self._workers.items()):
            code = self._nursery.ended(pid)
            if code is None:
                continue
            del self._workers[pid]
            if point and code == -signal.SIGKILL:
                self._reached[point] += 1
            else:
                self._ended += 1
                self._waiting += [point] if point else []
            self._hire()

    def points_not_reached(self) -> list[str]:
        """The crash points at which nobody died."""
        return [point for point in self._points if not self._reached[point]]

    def figures(self) -> list[tuple[str, Any]]:
        """What was done, for people."""
        figures: list[tuple[str, Any]] = [("worker processes killed at random", self._killed)]
        figures += [(f"killed at {point}", self._reached[point]) for point in self._points]
        return [*figures, ("workers that ended when the broker went", self._ended)]

    def _hire(self) -> None:
        armed = sum(bool(point) for point in self._workers.values())
        point = self._waiting.pop(0) if self._waiting and armed < MOST_ARMED else ""
        self._born += 1
        pid = self._nursery.start(
            *("worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "CRITICAL"),
            *("--hostname", f"w{self._born}@faults", "--without-mingle", "--without-gossip"),
            crash_at=point,
        )
        self._workers[pid] = point
