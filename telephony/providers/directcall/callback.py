"""What one callback of Directcall says about one call. Pure: nothing is stored or looked up here.

Names and words come from tables that staff edit, because the vendor doesn't publish them; see `callback_words`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from callcenter.lib.phones import InvalidPhone, brazilian_e164
from telephony.providers.directcall.callback_body import REASONS, UnreadableCallback, read_object
from telephony.providers.directcall.callback_words import (
    DEFAULT_FIELD_NAMES,
    DEFAULT_STATUS_WORDS,
    normalized_name,
    normalized_word,
)

__all__ = [
    "DEFAULT_FIELD_NAMES",
    "DEFAULT_STATUS_WORDS",
    "REASONS",
    "CallbackReport",
    "UnreadableCallback",
    "normalized_word",
    "parse_callback",
]

MAX_CALL_ID_LENGTH: Final = 128
MAX_WORD_LENGTH: Final = 64
MAX_PHONE_LENGTH: Final = 40
MAX_PIN_LENGTH: Final = 64
MAX_URL_LENGTH: Final = 500
MAX_CUSTOM_FIELDS: Final = 50
MAX_CUSTOM_LENGTH: Final = 500
MAX_DURATION_SECONDS: Final = 7 * 24 * 3600

UNKNOWN: Final = "unknown"

# The vendor's dates name no zone; a Brazilian carrier's clock.
_VENDOR_ZONE: Final = ZoneInfo("America/Sao_Paulo")
# The vendor's three spellings, then the Brazilian one. ISO 8601 is tried before them.
_DATE_FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%d-%m-%Y-%H-%M-%S", "%d/%m/%Y %H:%M:%S")
_CLOCK: Final = re.compile(r"(?:([0-9]{1,3}):)?([0-5]?[0-9]):([0-5]?[0-9])")
_SECONDS: Final = re.compile(r"([0-9]{1,6})(?:\.[0-9]*)?")
# Half of a surrogate pair, and NUL: PostgreSQL's text and UTF-8 logs hold neither.
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_PHONE: Final = re.compile(r"\+?[0-9\s().\-/]+")
_NOT_DIGIT: Final = re.compile(r"[^0-9]")


@dataclass(frozen=True)
class CallbackReport:
    """What a callback says; whatever it doesn't say, or says unreadably, is empty or None.

    `status_word` is as sent, `meaning` what the table makes of it. `started_at` is aware, in UTC. Personal data
    stays out of the repr.
    """

    call_id: str
    origin: str = field(repr=False)
    origin_e164: str = field(repr=False)
    destination_e164: str = field(repr=False)
    status_word: str
    meaning: str
    started_at: datetime | None
    duration_seconds: int | None
    recording_url: str = field(repr=False)
    pin: str
    custom: tuple[tuple[str, str], ...] = field(repr=False)


def parse_callback(
    body: bytes,
    content_type: str,
    *,
    field_names: Mapping[str, Sequence[str]] = DEFAULT_FIELD_NAMES,
    status_words: Mapping[str, str] = DEFAULT_STATUS_WORDS,
) -> CallbackReport:
    """What the callback says.

    `field_names`: concept -> the names under which it may come, in order of preference; case, accents, `_` and `-` in
    them don't matter. `status_words`: `normalized_word` -> meaning; a word that isn't there means "unknown".

    Errors: `UnreadableCallback`, and nothing else whatever the bytes.
    """
    fields = _Fields(read_object(body, content_type), field_names)
    word = fields.text("status")
    if not word:
        raise UnreadableCallback("no_status")
    folded = normalized_word(word)
    if folded == "ok":
        # The API's own envelopes have a `status` too: that the method worked, not what became of a call.
        raise UnreadableCallback("api_result")
    call_id = fields.text("call_id")
    if len(call_id) > MAX_CALL_ID_LENGTH:
        # Cut short it could be another call's.
        raise UnreadableCallback("long_call_id")
    recording_url = fields.text("recording_url")
    is_web_address = recording_url.startswith(("https://", "http://")) and len(recording_url) <= MAX_URL_LENGTH
    return CallbackReport(
        call_id=call_id,
        origin=fields.text("origin")[:MAX_PHONE_LENGTH],
        origin_e164=_e164(fields.text("origin")),
        destination_e164=_e164(fields.text("destination")),
        status_word=word[:MAX_WORD_LENGTH],
        meaning=status_words.get(folded, UNKNOWN),
        started_at=_instant(fields.text("started_at")),
        duration_seconds=_seconds(fields.text("duration")),
        recording_url=recording_url if is_web_address else "",
        pin=fields.text("pin")[:MAX_PIN_LENGTH],
        custom=_custom(fields.value("custom")),
    )


class _Fields:
    """The callback's object, read by concept."""

    def __init__(self, given: Mapping[str, Any], field_names: Mapping[str, Sequence[str]]) -> None:
        self._field_names = field_names
        self._values: dict[str, Any] = {}
        for name, value in given.items():
            self._values.setdefault(normalized_name(name), value)

    def value(self, concept: str) -> Any:
        """The first value that isn't empty among the concept's names, or None."""
        for name in self._field_names.get(concept, ()):
            value = self._values.get(normalized_name(name))
            if value not in (None, "", [], {}):
                return value
        return None

    def text(self, concept: str) -> str:
        return _text(self.value(concept))


def _text(value: Any) -> str:
    """A text or number as text that can be stored, stripped; anything else is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _UNSTORABLE.sub("\ufffd", str(value)).strip()


def _e164(text: str) -> str:
    """The number in E.164, or empty. Directcall writes country code, DDD and number, with or without spaces.

    "ip" before DDD and number marks a number of its own network (ip4130600300).
    """
    phone = text.removeprefix("ip")
    if len(phone) > MAX_PHONE_LENGTH or not _PHONE.fullmatch(phone):
        return ""
    digits = _NOT_DIGIT.sub("", phone)
    # 55 is also a DDD (Santa Maria): only the length tells the country code from it.
    if len(digits) in (12, 13) and digits.startswith("55"):
        phone = f"+{digits}"
    with contextlib.suppress(InvalidPhone):
        return brazilian_e164(phone)
    return ""


def _instant(text: str) -> datetime | None:
    readings = (_iso(text), *(_strptime(text, each) for each in _DATE_FORMATS))
    found = next((each for each in readings if each is not None), None)
    if found is None or not 2000 <= found.year <= 2100:
        return None
    return found.astimezone(UTC)


def _iso(text: str) -> datetime | None:
    # Python also reads a bare date and week dates as ISO; a call begins at a time of day.
    if ":" not in text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=_VENDOR_ZONE)


def _strptime(text: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, date_format).replace(tzinfo=_VENDOR_ZONE)
    except ValueError:
        return None


def _seconds(text: str) -> int | None:
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
    elif match := _SECONDS.fullmatch(text):
        total = int(match[1])
    else:
        return None
    return total if total <= MAX_DURATION_SECONDS else None


def _custom(value: Any) -> tuple[tuple[str, str], ...]:
    """The free fields of the call, as name and text; a bare text comes under an empty name."""
    pairs = value.items() if isinstance(value, dict) else [("", value)]
    found = ((_text(name)[:MAX_CUSTOM_LENGTH], _text(each)[:MAX_CUSTOM_LENGTH]) for name, each in pairs)
    return tuple((name, text) for name, text in found if text)[:MAX_CUSTOM_FIELDS]
