"""Phone numbers: what a Brazilian means by what was typed, and why a text can't be dialed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.lib.phones import (
    AREA_CODES,
    REFUSALS,
    InvalidPhone,
    brazilian_e164,
    display,
    has_area_code,
    masked,
    national_digits,
)


@pytest.mark.parametrize(
    "typed",
    [
        "(11) 99999-8888",
        "11 99999 8888",
        "11999998888",
        "011 99999-8888",
        "0 15 11 99999-8888",
        "+55 11 99999-8888",
        "5511999998888",
        "  +5511999998888\t",
        "11.99999.8888",
        "(011) 99999-8888",
        "0xx11 99999-8888",
        "(0XX11) 99999-8888",
        "0 26 11 99999-8888",
        "90 15 11 99999-8888",
        "0055 11 99999-8888",
        "00 21 55 11 99999-8888",
        "+55 (0) 11 99999-8888",
        "+55 0 32 11 99999-8888",
        "tel:+5511999998888",
        "Maria 11 99999-8888",
        "11 99999-8888 Maria",
        "11 99999-8888 (recado)",
        "11 99999-8888 ramal 12",
        "11 99999-8888, r. 4",
        # As it was before the ninth digit.
        "(11) 9999-8888",
        "551199998888",
        "0 41 11 9999-8888",
        "１１ ９９９９９-８８８８",
    ],
)
def test_one_mobile_number_is_recognised_however_it_is_typed(typed: str) -> None:
    assert brazilian_e164(typed) == "+5511999998888"


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("(21) 2222-3333", "+552122223333"),
        ("0xx21 2222-3333", "+552122223333"),
        ("0800 123 4567", "+558001234567"),
        ("+55 0800 123 4567", "+558001234567"),
        ("0800 12 3456", "+55800123456"),
        ("4004-1234", "+5540041234"),
        ("3003 1234", "+5530031234"),
        # 55 is a DDD as well as the country.
        ("(55) 99999-8888", "+5555999998888"),
        ("55 55 3222-1111", "+555532221111"),
    ],
)
def test_land_lines_and_service_numbers_can_be_dialed(typed: str, e164: str) -> None:
    assert brazilian_e164(typed) == e164


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "no_phone"),
        ("   ", "no_phone"),
        ("abc", "not_a_number"),
        ("ligue depois das 18h", "not_a_number"),
        # The request of CS-Cart's own example.
        ("+7(999)111-22-33", "not_brazilian"),
        ("+1 202 555 0123", "not_brazilian"),
        ("99999-8888", "no_area_code"),
        ("2222-3333", "no_area_code"),
        ("(11) 1234-5678", "invalid_number"),
        ("(10) 99999-8888", "invalid_number"),
        ("190", "service_number"),
        ("+55 192", "service_number"),
        ("103 15", "service_number"),
        ("0300 123 4567", "service_number"),
        ("0500 123 4567", "service_number"),
        ("+55 900 123 4567", "service_number"),
        ("(30) 3333-4444", "invalid_number"),
        ("11 99999-8888 ou 11 98888-7777", "not_a_number"),
        ("11 99999-8888 / 11 98888-7777", "not_a_number"),
        # Letters of a keypad: read as digits they would ring at a stranger's.
        ("11-9CALL-NOW1", "not_a_number"),
        ("0800 FLORES", "not_a_number"),
        ("999", "invalid_number"),
        ("9876-5432", "no_area_code"),
        ("11 99999-88888", "invalid_number"),
    ],
)
def test_a_number_that_can_not_be_dialed_says_why(typed: str, reason: str) -> None:
    with pytest.raises(InvalidPhone) as refusal:
        brazilian_e164(typed)
    assert refusal.value.reason == reason
    assert refusal.value.message == str(REFUSALS[reason])


def test_every_area_code_has_land_lines_and_mobiles_old_and_new_and_no_other_code_has_any() -> None:
    assert len(AREA_CODES) == 67
    for code in map(str, range(10, 100)):
        typed = {
            f"({code}) 3333-4444": "33334444",
            f"({code}) 99999-8888": "999998888",
            f"{code} 9999 8888": "999998888",
        }
        for text, subscriber in typed.items():
            if code in AREA_CODES:
                assert brazilian_e164(text) == f"+55{code}{subscriber}"
                assert brazilian_e164(f"0{text}") == brazilian_e164(f"0 14 {text}") == f"+55{code}{subscriber}"
            else:
                with pytest.raises(InvalidPhone):
                    brazilian_e164(text)


def test_only_numbers_like_4004_are_dialed_without_a_code() -> None:
    assert has_area_code("+5511999998888")
    assert has_area_code("+55800123456")
    assert not has_area_code("+5540041234")


def test_a_refusal_does_not_carry_the_number() -> None:
    with pytest.raises(InvalidPhone) as refusal:
        brazilian_e164("+7(999)111-22-33")
    assert "999" not in f"{refusal.value} {refusal.value.context}"


@given(st.text(max_size=40))
def test_any_text_is_either_a_brazilian_number_or_refused_with_a_known_reason(text: str) -> None:
    try:
        result = brazilian_e164(text)
    except InvalidPhone as refusal:
        result = refusal.reason
    assert result in REFUSALS or (re.fullmatch(r"\+55[0-9]{4,11}", result) and brazilian_e164(result) == result)


def test_the_national_digits_are_area_code_and_subscriber() -> None:
    assert national_digits("+5511999998888") == "11999998888"


def test_a_number_is_shown_as_brazilians_write_it() -> None:
    assert display("+5511999998888") == "(11) 99999-8888"
    assert display("") == ""
    assert display("unreadable") == "unreadable"


def test_a_log_line_shows_the_last_four_digits_at_most() -> None:
    assert masked("+55 (11) 99999-8888") == "…8888"
    assert masked("8888") == "…"
    assert masked("") == "…"
