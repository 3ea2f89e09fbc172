"""When a request becomes due: wanted times, contact windows past midnight, and Brazil's time zones."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.schedule import Window, clock_time, contact_window, first_due_at, next_opening
from requests_app.states import Hold

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
# The ends of Brazil: UTC-2 on the island, UTC-5 in Acre.
NORONHA = ZoneInfo("America/Noronha")
MANAUS = ZoneInfo("America/Manaus")
RIO_BRANCO = ZoneInfo("America/Rio_Branco")
# No Brazilian zone has had summer time since 2019; a company elsewhere has.
LISBON = ZoneInfo("Europe/Lisbon")
ZONES = [SAO_PAULO, NORONHA, MANAUS, RIO_BRANCO, LISBON]


def at(text: str, zone: ZoneInfo = SAO_PAULO) -> datetime:
    """A local time as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def due(
    now: datetime, *, time_from: str = "", time_to: str = "", wanted_at: datetime | None = None,
    zone: ZoneInfo = SAO_PAULO,
) -> tuple[datetime, Hold]:  # fmt: skip
    """`first_due_at` with what a test leaves out."""
    return first_due_at(now=now, wanted_at=wanted_at, time_from=time_from, time_to=time_to, zone=zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:00", time(10)),
        ("9:05", time(9, 5)),
        (" 20:00 ", time(20)),
        ("10h", time(10)),
        ("10h30", time(10, 30)),
        ("10H30", time(10, 30)),
        ("10.30", time(10, 30)),
        ("9", time(9)),
        ("0:00", time(0)),
        ("24:00", time(0)),
        ("23:59", time(23, 59)),
        # CS-Cart's mask, as the seed's list shows it.
        ("__:__", None),
        ("", None),
        ("25:00", None),
        ("10:60", None),
        ("de manhã", None),
        ("10:00-12:00", None),
        ("-1", None),
    ],
)
def test_a_shops_free_text_is_read_as_a_time_or_not_at_all(text: str, expected: time | None) -> None:
    assert clock_time(text) == expected


def test_no_texts_mean_any_time() -> None:
    assert contact_window("", "__:__") is None


def test_equal_ends_mean_any_time() -> None:
    assert contact_window("10:00", "10h") is None


def test_a_missing_end_is_the_end_of_the_day() -> None:
    assert contact_window("18:00", "") == Window(time(18), time(0))
    assert contact_window("", "12:00") == Window(time(0), time(12))


@pytest.mark.parametrize(
    ("clock", "inside"),
    [(time(9, 59, 59), False), (time(10), True), (time(19, 59, 59), True), (time(20), False), (time(0), False)],
)
def test_a_window_holds_its_first_instant_and_not_its_last(clock: time, inside: bool) -> None:
    assert Window(time(10), time(20)).contains(clock) is inside


@pytest.mark.parametrize(
    ("clock", "inside"),
    [(time(21, 59), False), (time(22), True), (time(0), True), (time(1, 59), True), (time(2), False)],
)
def test_a_window_may_pass_midnight(clock: time, inside: bool) -> None:
    assert Window(time(22), time(2)).contains(clock) is inside


def test_without_wishes_a_request_is_due_at_once() -> None:
    now = at("2026-11-23 12:00")
    assert due(now) == (now, Hold.NONE)


def test_inside_the_window_it_is_due_at_once() -> None:
    now = at("2026-11-23 12:00")
    assert due(now, time_from="10:00", time_to="20:00") == (now, Hold.NONE)


def test_before_the_window_it_waits_for_it() -> None:
    now = at("2026-11-23 08:00")
    assert due(now, time_from="10:00", time_to="20:00") == (at("2026-11-23 10:00"), Hold.CONTACT_WINDOW)


def test_after_the_window_it_waits_for_tomorrow() -> None:
    now = at("2026-11-30 20:00")
    assert due(now, time_from="10:00", time_to="20:00") == (at("2026-12-01 10:00"), Hold.CONTACT_WINDOW)


def test_a_wanted_time_is_waited_for() -> None:
    now, wanted_at = at("2026-11-23 12:00"), at("2026-11-24 15:00")
    assert due(now, wanted_at=wanted_at) == (wanted_at, Hold.WANTED_TIME)


def test_a_wanted_time_in_the_past_is_now() -> None:
    now = at("2026-11-23 12:00")
    assert due(now, wanted_at=at("2025-04-17 11:30")) == (now, Hold.NONE)


def test_a_wanted_time_outside_the_window_waits_for_the_window_after_it() -> None:
    now = at("2026-11-23 12:00")
    found = due(now, wanted_at=at("2026-11-24 21:00"), time_from="10:00", time_to="20:00")
    assert found == (at("2026-11-25 10:00"), Hold.CONTACT_WINDOW)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (NORONHA, "2026-11-23 12:00+00:00"),
        (SAO_PAULO, "2026-11-23 13:00+00:00"),
        (MANAUS, "2026-11-23 14:00+00:00"),
        (RIO_BRANCO, "2026-11-23 15:00+00:00"),
    ],
)
def test_the_window_is_kept_in_the_companys_own_zone(zone: ZoneInfo, expected: str) -> None:
    now = datetime(2026, 11, 23, 11, tzinfo=UTC)
    due_at, _hold = due(now, time_from="10:00", time_to="20:00", zone=zone)
    assert due_at == datetime.fromisoformat(expected)


def test_the_days_end_is_the_companys_not_utcs() -> None:
    # 01:30 UTC is still the evening before in São Paulo, inside the window.
    now = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    assert due(now, time_from="18:00", time_to="23:00") == (now, Hold.NONE)


def test_the_answer_is_in_utc() -> None:
    assert next_opening(at("2026-11-23 08:00"), window=Window(time(10), time(20)), zone=MANAUS).tzinfo is UTC


_INSTANTS = st.datetimes(
    datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-12-31"), timezones=st.just(UTC)
)
_CLOCKS = st.one_of(st.just(""), st.times().map(lambda clock: f"{clock:%H:%M}"))


@given(
    now=_INSTANTS,
    wanted_at=st.one_of(st.none(), _INSTANTS),
    time_from=_CLOCKS,
    time_to=_CLOCKS,
    zone=st.sampled_from(ZONES),
)
def test_a_request_is_never_due_in_the_past_nor_outside_its_window(
    now: datetime, wanted_at: datetime | None, time_from: str, time_to: str, zone: ZoneInfo
) -> None:
    due_at, hold = due(now, time_from=time_from, time_to=time_to, wanted_at=wanted_at, zone=zone)
    earliest = max(now, wanted_at or now)
    window = contact_window(time_from, time_to)
    assert earliest <= due_at
    assert (hold == Hold.NONE) == (due_at == now)
    if window is None or window.contains(earliest.astimezone(zone).time()):
        assert due_at == earliest
    else:
        assert due_at < earliest + timedelta(hours=25)
        # An opening time that the clocks skip in spring is the instant that the skipped hour became.
        local = due_at.astimezone(zone)
        is_skipped = local.utcoffset() != (local - timedelta(hours=2)).utcoffset()
        assert window.contains(local.time()) or is_skipped
