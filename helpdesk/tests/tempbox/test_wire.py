"""Values as they travel: SQL Server's types in JSON, out and in."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.lib.errors import InvalidInput
from helpdesk.tempbox import display, wire

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
AT = datetime(2024, 5, 9, 17, 3, 27, 123456, tzinfo=UTC)
KEY = uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF")


@pytest.mark.conforms("TB-types-out")
@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("datetime", AT, "2024-05-09T14:03:27.123"),
        ("datetime", AT.replace(microsecond=0), "2024-05-09T14:03:27"),
        ("datetime", AT.replace(microsecond=120_000), "2024-05-09T14:03:27.12"),
        ("smalldatetime", AT, "2024-05-09T14:03:00"),
        ("smalldatetime", AT.replace(second=29, microsecond=998_000), "2024-05-09T14:03:00"),
        ("smalldatetime", AT.replace(second=29, microsecond=999_000), "2024-05-09T14:04:00"),
        ("smalldatetime", datetime(2024, 1, 1, 2, 59, 45, tzinfo=UTC), "2024-01-01T00:00:00"),
        ("uniqueidentifier", KEY, "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("bit", 1, True),
        ("int", True, 1),
        ("int", "avatar.png", None),
        ("string", "x", "x"),
        ("datetime", None, None),
        ("smalldatetime", None, None),
        ("uniqueidentifier", None, None),
        ("bit", None, None),
        ("bigint", None, None),
    ],
)
def test_out(kind: str, value: object, text: object) -> None:
    assert wire.OUT[kind](value, SAO_PAULO) == text


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize(
    "text",
    ["6F9619FF-8B86-D011-B42D-00C04FC964FF", "{6f9619ff-8b86-d011-b42d-00c04fc964ff}",
     "6f9619ff8b86d011b42d00c04fc964ff", " 6f9619ff-8b86-d011-b42d-00c04fc964ff "],
)  # fmt: skip
def test_a_guid_in_any_dress(text: str) -> None:
    assert wire.guid_in(text, "Hash") == KEY


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize("value", ["", "abc", "6f9619ff", 7, None, [], "٦" * 32, "-" * 32, "urn:uuid:" + "0" * 23])
def test_no_guid(value: object) -> None:
    with pytest.raises(InvalidInput):
        wire.guid_in(value, "Hash")


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-05-09T14:03:00", datetime(2024, 5, 9, 17, 3, tzinfo=UTC)),
        ("2024-05-09 14:03:27.1234567", datetime(2024, 5, 9, 17, 3, tzinfo=UTC)),
        ("2024-05-09T14:03:29.9989", datetime(2024, 5, 9, 17, 3, tzinfo=UTC)),
        ("2024-05-09T14:03:29.999", datetime(2024, 5, 9, 17, 4, tzinfo=UTC)),
        ("2079-06-06T23:59:29Z", datetime(2079, 6, 6, 23, 59, tzinfo=UTC)),
        ("2024-05-09T14:03:00Z", datetime(2024, 5, 9, 14, 3, tzinfo=UTC)),
        ("2024-05-09T14:03:00+02:00", datetime(2024, 5, 9, 12, 3, tzinfo=UTC)),
        ("2024-05-09", datetime(2024, 5, 9, 3, tzinfo=UTC)),
        ("09/05/2024 14:03", datetime(2024, 5, 9, 17, 3, tzinfo=UTC)),
        ("09/05/2024 14:03:27", datetime(2024, 5, 9, 17, 3, tzinfo=UTC)),
        ("09/05/2024", datetime(2024, 5, 9, 3, tzinfo=UTC)),
    ],
)
def test_a_date_in_any_dress(text: str, at: datetime) -> None:
    assert wire.smalldatetime_in(text, "DataAgendamento", zone=SAO_PAULO) == at


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize(
    "value",
    ["", "amanhã", "1899-12-31T00:00:00", "2079-06-08", "2024-13-01", "31/02/2024", "9999-12-31T23:59:59+14:00",
     "2079-06-06T23:59:30Z", "0001-01-01", 20240509, None, "2024-W19-4"],
)  # fmt: skip
def test_no_date(value: object) -> None:
    with pytest.raises(InvalidInput):
        wire.smalldatetime_in(value, "DataAgendamento", zone=SAO_PAULO)


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (" -7 ", -7), (7.0, 7), ("+7", 7)])
def test_a_number(value: object, number: int) -> None:
    assert wire.int_in(value, "Plataforma") == number


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize("value", [True, "sete", 7.5, 2**31, -(2**31) - 1, "9" * 30, None, [], "0x1"])
def test_no_number(value: object) -> None:
    with pytest.raises(InvalidInput):
        wire.int_in(value, "Plataforma")


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize(
    ("value", "bit"), [(True, True), (1, True), ("1", True), ("TRUE", True), (0, False), ("0", False), ("false", False)]
)
def test_a_bit(value: object, bit: bool) -> None:
    assert wire.bit_in(value, "Concluido") is bit


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize("value", [2, "sim", None, [], 0.5])
def test_no_bit(value: object) -> None:
    with pytest.raises(InvalidInput):
        wire.bit_in(value, "Concluido")


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize(
    "text", ["{", "[]", '"a"', "NaN", '{"a": NaN}', '{"a": 1e999}', "[" * 100_000, "7", "null", "{'a': 1}"]
)
def test_no_json_object(text: str) -> None:
    with pytest.raises(InvalidInput):
        wire.parsed_json(text)


@pytest.mark.conforms("TB-types-in")
@pytest.mark.parametrize("value", ["a\0b", "\ud83d", True, [], {}])
def test_no_text(value: object) -> None:
    with pytest.raises(InvalidInput):
        wire.text_in(value, "Mensagem")


@pytest.mark.conforms("TB-display")
@pytest.mark.parametrize(
    ("at", "text"),
    [
        (AT - timedelta(seconds=59), "agora"),
        (AT + timedelta(hours=1), "agora"),
        (AT - timedelta(minutes=5), "há 5 min"),
        (AT - timedelta(hours=3), "há 3 h"),
        (AT - timedelta(hours=20), "ontem 18:03"),
        (AT - timedelta(days=3), "06/05/2024 14:03"),
    ],
)
def test_how_long_ago(at: datetime, text: str) -> None:
    assert display.moment(at, SAO_PAULO, now=AT) == text


@pytest.mark.conforms("TB-display")
def test_texts_for_people() -> None:
    assert display.day_and_time(AT, SAO_PAULO) == "09/05/2024 14:03"
    assert display.day_month_time(AT, SAO_PAULO) == "09/05 14:03"
    assert (display.hour(AT, SAO_PAULO), display.hour_with_seconds(AT, SAO_PAULO)) == ("14:03", "14:03:27")
    assert [display.initials(name) for name in ("Maria da Silva", "Ana", "", "+55 11")] == ["MS", "A", "?", "1"]
    assert display.colour(KEY) == display.colour(KEY)
    assert display.place("Campinas", "SP") == "Campinas/SP"
    assert display.place("", "SP") == "SP"
    assert display.length(timedelta(hours=1, seconds=61)) == "01:01:01"
    assert display.length(None) == ""
    assert display.shortened("x" * 61) == "x" * 59 + "…"
