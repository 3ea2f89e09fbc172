"""Counters of its own for a test about limits, on the engine of this half of the tests."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import time_machine

from callcenter.lib import limits
from callcenter.lib.counters import shared_counters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pytest

    from callcenter.lib.counters import Slot

# 100 s into a minute's and a quarter of an hour's window: 20 s and 800 s are left.
NOON: Final = datetime(2026, 3, 10, 12, 1, 40, tzinfo=UTC)


def use_limits(settings: Any, folder: Path, **limits: int) -> None:
    """Start counting from nothing, with these settings."""
    settings.DATA_DIR = folder
    settings.REDIS_KEY_PREFIX = f"test-{uuid.uuid4().hex}:"
    for name, value in limits.items():
        setattr(settings, name, value)


@contextmanager
def stopped_clock() -> Iterator[time_machine.Traveller]:
    """It is noon, and stays it until the test moves it on."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def count_visits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many counters each visit asked for, as the visits are made."""
    visits: list[int] = []
    real = shared_counters

    class Watched:
        def visit(self, *, add: Sequence[Slot], read: Sequence[Slot]) -> list[int]:
            visits.append(len(add) + len(read))
            return real().visit(add=add, read=read)

    monkeypatch.setattr(limits, "shared_counters", Watched)
    return visits
