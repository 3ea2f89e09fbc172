"""What Directcall's answers say about calls: the legs of one that is on, and the lines of the statement. Pure.

Names and words are looked up in the tables of the callback: the vendor uses the same ones, where it prints any.
Sources: http://doc.directcallsoft.com/pages/viewpage.action?pageId=329624 (/voz/status), …pageId=329648
(/extrato/list-recordings), …pageId=950315 (/extrato/list).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from telephony.providers.directcall.callback_words import DEFAULT_FIELD_NAMES, DEFAULT_STATUS_WORDS, normalized_word
from telephony.providers.directcall.values import Fields, instant, phone_e164, seconds_of
from telephony.providers.directcall.wire import Envelope, UnreadableAnswer

UNKNOWN: Final = "unknown"
ANSWERED: Final = "answered"
MAX_CALL_ID_LENGTH: Final = 128
MAX_URL_LENGTH: Final = 500
# How deep the calls may lie in an envelope; the shape is not public.
_MAX_DEPTH: Final = 5
# So many lines of one answer are read; a page of a statement has some hundreds.
_MOST_RECORDS: Final = 10_000


@dataclass(frozen=True)
class Vocabulary:
    """The tables by which answers are read: concept -> names, and folded word -> meaning."""

    field_names: Mapping[str, Sequence[str]] = field(default_factory=lambda: DEFAULT_FIELD_NAMES, repr=False)
    status_words: Mapping[str, str] = field(default_factory=lambda: DEFAULT_STATUS_WORDS, repr=False)


@dataclass(frozen=True)
class CallRecord:
    """One call, or one leg of one, as the carrier tells it; what it doesn't say is empty or None.

    `raw` is the object as it came, as JSON. Personal data stays out of the repr.
    """

    call_id: str
    origin: str = field(repr=False)
    destination_e164: str = field(repr=False)
    status_word: str
    meaning: str
    started_at: datetime | None
    duration_seconds: int | None
    recording_url: str = field(repr=False)
    raw: str = field(repr=False)


@dataclass(frozen=True)
class StatementPage:
    """One page of the statement, and how many there are."""

    records: list[CallRecord]
    pages: int


def read_records(envelope: Envelope, vocabulary: Vocabulary) -> list[CallRecord]:
    """The calls in an answer, wherever in it they lie.

    Errors: `UnreadableAnswer` when there is something in `msg` and no call can be found in it.
    """
    content = envelope.fields.get("msg", envelope.fields.get("result", envelope.fields.get("data")))
    found = [_record(each, vocabulary) for each in _objects(content, vocabulary, depth=_MAX_DEPTH)]
    if not found and content not in (None, "", [], {}) and not _is_plain_text(content):
        raise UnreadableAnswer("The calls have a shape that we don't know.")
    return found[:_MOST_RECORDS]


def read_page(envelope: Envelope, vocabulary: Vocabulary) -> StatementPage:
    """The page's calls, and the number of pages: `paginas` as a number or text, 1 when it says nothing.

    Errors: `UnreadableAnswer`.
    """
    pages = envelope.text("paginas")
    return StatementPage(read_records(envelope, vocabulary), int(pages) if pages.isdecimal() and len(pages) < 7 else 1)


def _is_plain_text(value: Any) -> bool:
    # "Nenhum registro encontrado", say.
    return isinstance(value, str) and not value.lstrip().startswith(("[", "{"))


def _objects(value: Any, vocabulary: Vocabulary, *, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        # JSON in a string inside JSON: older methods answer so.
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    if isinstance(value, dict):
        fields = Fields(value, vocabulary.field_names)
        if fields.text("destination") or fields.text("call_id"):
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _objects(each, vocabulary, depth=depth - 1)


def _record(given: Mapping[str, Any], vocabulary: Vocabulary) -> CallRecord:
    fields = Fields(given, vocabulary.field_names)
    word = fields.text("status")
    duration = seconds_of(fields.text("duration"))
    meaning = vocabulary.status_words.get(normalized_word(word), UNKNOWN)
    if not word and duration:
        # A line without a status, as that of list-recordings: who talked was answered.
        meaning = ANSWERED
    call_id = fields.text("call_id")
    recording_url = fields.text("recording_url")
    is_web_address = recording_url.startswith(("https://", "http://")) and len(recording_url) <= MAX_URL_LENGTH
    return CallRecord(
        # Cut short it could be another call's.
        call_id=call_id if len(call_id) <= MAX_CALL_ID_LENGTH else "",
        origin=fields.text("origin")[:40],
        destination_e164=phone_e164(fields.text("destination")),
        status_word=word[:64],
        meaning=meaning,
        started_at=instant(fields.text("started_at")),
        duration_seconds=duration,
        recording_url=recording_url if is_web_address else "",
        raw=json.dumps(given, default=str),
    )
