"""What one callback of Directcall says about one call. Pure: nothing is stored or looked up here.

Names and words come from tables that staff edit, because the vendor doesn't publish them; see `callback_words`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from telephony.providers.directcall.callback_body import REASONS, UnreadableCallback, read_object
from telephony.providers.directcall.callback_words import (
    DEFAULT_FIELD_NAMES,
    DEFAULT_STATUS_WORDS,
    normalized_word,
)
from telephony.providers.directcall.values import MAX_PHONE_LENGTH, Fields, instant, phone_e164, seconds_of, text_of

if TYPE_CHECKING:
    from datetime import datetime

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
MAX_PIN_LENGTH: Final = 64
MAX_URL_LENGTH: Final = 500
MAX_CUSTOM_FIELDS: Final = 50
MAX_CUSTOM_LENGTH: Final = 500

UNKNOWN: Final = "unknown"


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
    fields = Fields(read_object(body, content_type), field_names)
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
    origin, recording_url = fields.text("origin"), fields.text("recording_url")
    is_web_address = recording_url.startswith(("https://", "http://")) and len(recording_url) <= MAX_URL_LENGTH
    return CallbackReport(
        call_id=call_id,
        origin=origin[:MAX_PHONE_LENGTH],
        origin_e164=phone_e164(origin),
        destination_e164=phone_e164(fields.text("destination")),
        status_word=word[:MAX_WORD_LENGTH],
        meaning=status_words.get(folded, UNKNOWN),
        started_at=instant(fields.text("started_at")),
        duration_seconds=seconds_of(fields.text("duration")),
        recording_url=recording_url if is_web_address else "",
        pin=fields.text("pin")[:MAX_PIN_LENGTH],
        custom=_custom(fields.value("custom")),
    )


def _custom(value: Any) -> tuple[tuple[str, str], ...]:
    """The free fields of the call, as name and text; a bare text comes under an empty name."""
    if value is None:
        return ()
    pairs = value.items() if isinstance(value, dict) else [("", value)]
    found = ((text_of(name)[:MAX_CUSTOM_LENGTH], text_of(each)[:MAX_CUSTOM_LENGTH]) for name, each in pairs)
    return tuple((name, text) for name, text in found if text)[:MAX_CUSTOM_FIELDS]
