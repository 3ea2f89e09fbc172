"""The table of fates by itself."""

from collections import Counter

import pytest

from telephony.simulators.fates import DRAWN, FATES, Answer, Fate, described_fates, fate_of

ROWS = pytest.mark.parametrize("fate", FATES.values(), ids=lambda fate: fate.name)


@ROWS
def test_the_last_two_digits_choose_the_fate_on_every_try(fate: Fate) -> None:
    number = f"048328170{fate.digits}"
    assert {fate_of(number, seed=seed, times_dialed=times) for seed in (1, 2) for times in range(5)} == {fate}


@ROWS
def test_what_was_not_dialed_has_no_events(fate: Fate) -> None:
    assert fate.dialed or not fate.events


@ROWS
def test_only_an_unanswered_post_has_no_status(fate: Fate) -> None:
    assert (fate.status_code is None) == (fate.answer in (Answer.SILENCE, Answer.RESET))


def test_names_and_digits_are_unique() -> None:
    assert len({fate.name for fate in FATES.values()}) == len(FATES) == 21


def test_other_numbers_are_drawn_the_same_way_every_time() -> None:
    drawn = [fate_of("04832817000", seed=7, times_dialed=times).name for times in range(8)]
    assert drawn == [fate_of("04832817000", seed=7, times_dialed=times).name for times in range(8)]
    # Pinned: another Python or another process must not draw otherwise.
    assert drawn == ["answered", "busy", "no_answer", "answered", "machine", "busy", "answered", "answered"]


def test_another_seed_draws_otherwise() -> None:
    numbers = [f"048328{i:03d}99" for i in range(50)]
    first, second = ([fate_of(number, seed=seed, times_dialed=0).name for number in numbers] for seed in (1, 2))
    assert first != second


def test_the_draw_keeps_the_stated_shares() -> None:
    count = Counter(fate_of(f"0483{i:06d}77", seed=1, times_dialed=0).name for i in range(4000))
    assert sum(DRAWN.values()) == 100
    assert {name: round(count[name] / 40) for name in DRAWN} == pytest.approx(dict(DRAWN), abs=3)
    assert set(count) == set(DRAWN)


def test_the_description_names_every_row() -> None:
    text = described_fates()
    assert all(f"  {fate.digits}  {fate.meaning}" in text for fate in FATES.values())
