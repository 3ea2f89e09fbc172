"""How many calls may be placed now: pure arithmetic, progressive (never more calls than free attendants)."""

from __future__ import annotations


def calls_to_place(
    *,
    free_attendants: int,
    line_open_calls: int,
    line_max_calls: int,
    calls_per_second: float,
    horizon_seconds: float,
) -> int:
    """How many new calls one line may start now.

    The least of: the attendants who have no call; the line's limit less its open calls; what the line may send
    until the next tick (`calls_per_second` × `horizon_seconds`, at least one).

    Units: `horizon_seconds` is the time between two ticks.
    """
    by_rate = max(1, int(calls_per_second * horizon_seconds)) if calls_per_second > 0 else 0
    return max(0, min(free_attendants, line_max_calls - line_open_calls, by_rate))


def free_attendants(*, available: int, open_calls: int) -> int:
    """How many of the available attendants have no call that is theirs, or may become theirs.

    Every open call may be answered in the next second, so each takes one attendant.
    """
    return max(0, available - open_calls)
