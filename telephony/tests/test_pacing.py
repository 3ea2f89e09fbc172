"""How many calls a line may start: never more than any of its limits, and never none without a reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.pacing import calls_to_place, free_attendants

counts = st.integers(min_value=0, max_value=1000)


@given(
    free=counts,
    open_calls=counts,
    limit=st.integers(1, 1000),
    rate=st.floats(0.01, 200),
    horizon=st.floats(0.001, 60),
)
def test_the_least_of_the_limits_holds(free: int, open_calls: int, limit: int, rate: float, horizon: float) -> None:
    calls = calls_to_place(
        free_attendants=free,
        line_open_calls=open_calls,
        line_max_calls=limit,
        calls_per_second=rate,
        horizon_seconds=horizon,
    )
    assert 0 <= calls <= free
    assert calls + open_calls <= max(limit, open_calls)
    assert calls <= max(1, rate * horizon)
    if free and open_calls < limit:
        assert calls >= 1


def test_a_slow_line_still_places_one_call_a_tick() -> None:
    few = {"free_attendants": 9, "line_open_calls": 0, "line_max_calls": 9, "horizon_seconds": 5}
    assert calls_to_place(**few, calls_per_second=0.05) == 1
    assert calls_to_place(**few, calls_per_second=0.5) == 2
    assert calls_to_place(**few, calls_per_second=0) == 0


def test_more_open_calls_than_the_limit_place_none() -> None:
    assert (
        calls_to_place(free_attendants=5, line_open_calls=12, line_max_calls=10, calls_per_second=10, horizon_seconds=5)
        == 0
    )


@given(available=counts, open_calls=counts)
def test_every_open_call_takes_an_attendant(available: int, open_calls: int) -> None:
    free = free_attendants(available=available, open_calls=open_calls)
    assert free == max(0, available - open_calls)
