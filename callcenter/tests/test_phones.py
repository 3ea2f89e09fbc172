"""Phone numbers: what a Brazilian means by what was typed, and why a text can't be dialed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.lib.phones import REFUSALS, InvalidPhone, brazilian_e164, display, masked, national_digits


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
    ],
)
def test_one_mobile_number_is_recognised_however_it_is_typed(typed: str) -> None:
    assert brazilian_e164(typed) == "+5511999998888"


@pytest.mark.parametrize(
    ("typed", "e164"),
    [("(21) 2222-3333", "+552122223333"), ("0800 123 4567", "+558001234567"), ("4004-1234", "+5540041234")],
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
        ("190", "invalid_number"),
        ("11 99999-88888", "invalid_number"),
    ],
)
def test_a_number_that_can_not_be_dialed_says_why(typed: str, reason: str) -> None:
    with pytest.raises(InvalidPhone) as refusal:
        brazilian_e164(typed)
    assert refusal.value.reason == reason
    assert refusal.value.message == str(REFUSALS[reason])


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
