"""Hours as people write them in a rule."""

from __future__ import annotations

import pytest

from callcenter.lib.area_codes import AREA_CODES, STATES, area_code_of
from telephony.weekly_hours import HoursError, hours_text, parse_hours


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("seg-sex 9:00-21:00; sáb 10-16", "seg-sex 09:00-21:00; sab 10:00-16:00"),
        ("Mon - Fri 8h-12h 13h30–18h", "seg-sex 08:00-12:00 13:30-18:00"),
        ("segunda-sexta 08:00-18:00", "seg-sex 08:00-18:00"),
        ("todos 0-24", "seg-dom 00:00-24:00"),
        ("sex-seg 22:00-00:00", "seg 22:00-24:00; sex-dom 22:00-24:00"),
        ("seg 9-12\nseg 11-15", "seg 09:00-15:00"),
    ],
)
def test_what_is_written_is_understood(text: str, canonical: str) -> None:
    hours = parse_hours(text)
    assert hours_text(hours) == canonical
    assert parse_hours(canonical) == hours


@pytest.mark.parametrize("text", ["9-18", "seg", "seg 18-9", "seg 9:60-10", "xyz 9-10", "seg 9-25", "seg 9-10 foo"])
def test_what_makes_no_sense_is_refused_by_its_part(text: str) -> None:
    with pytest.raises(HoursError, match=text.split()[0]):
        parse_hours(f"dom 9-10; {text}")


def test_there_are_67_area_codes_in_27_states() -> None:
    assert len(AREA_CODES) == 67
    assert len(STATES) == 27


@pytest.mark.parametrize(
    ("phone", "state"),
    [
        ("+5511987654321", "SP"),
        ("+556832221234", "AC"),
        ("+558001234567", ""),
        ("+5540041234", ""),
        ("+5520987654321", ""),
    ],
)
def test_a_number_says_its_state(phone: str, state: str) -> None:
    area = area_code_of(phone)
    assert (area.state if area else "") == state
