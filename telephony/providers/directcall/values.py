"""How Directcall writes names, numbers, instants and durations, whatever carries them. Pure."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from callcenter.lib.phones import AREA_CODES, InvalidPhone, brazilian_e164
from telephony.providers.directcall.callback_words import normalized_name

MAX_PHONE_LENGTH: Final = 40
MAX_DURATION_SECONDS: Final = 7 * 24 * 3600

# The vendor's dates name no zone; a Brazilian carrier's clock.
VENDOR_ZONE: Final = ZoneInfo("America/Sao_Paulo")
# The vendor's three spellings, then the Brazilian one. ISO 8601 is tried before them.
_DATE_FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%d-%m-%Y-%H-%M-%S", "%d/%m/%Y %H:%M:%S")
_CLOCK: Final = re.compile(r"(?:([0-9]{1,3}):)?([0-5]?[0-9]):([0-5]?[0-9])")
_SECONDS: Final = re.compile(r"([0-9]{1,6})(?:\.[0-9]*)?")
# Half of a surrogate pair, and NUL: PostgreSQL's text and UTF-8 logs hold neither.
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_PHONE: Final = re.compile(r"\+?[0-9\s().\-/]+")
_MOBILE: Final = re.compile(r"55[0-9]{2}9[6-9][0-9]{7}")
_NOT_DIGIT: Final = re.compile(r"[^0-9]")


class Names(dict[str, tuple[str, ...]]):
    """Concept -> the names under which it may come, normalized once for many objects.

    `concepts`: each name -> the concepts that it may carry, with its place in their order of preference.
    """

    def __init__(self, field_names: Mapping[str, Sequence[str]]) -> None:
        super().__init__({concept: tuple(map(normalized_name, names)) for concept, names in field_names.items()})
        self.concepts: dict[str, list[tuple[str, int]]] = {}
        for concept, names in self.items():
            for place, name in enumerate(names):
                self.concepts.setdefault(name, []).append((concept, place))


class Fields:
    """One object of the carrier's, read by concept; case, accents, `_` and `-` in a name don't matter."""

    def __init__(self, given: Mapping[str, Any], field_names: Mapping[str, Sequence[str]]) -> None:
        concepts = (field_names if isinstance(field_names, Names) else Names(field_names)).concepts
        values: dict[str, Any] = {}
        for name, value in given.items():
            values.setdefault(normalized_name(name), value)
        # By concept: the place of the name, and the value.
        self._found: dict[str, tuple[int, Any]] = {}
        for name, value in values.items():
            for concept, place in concepts.get(name, ()):
                is_empty = value is None or value in ("", [], {})
                if not is_empty and (concept not in self._found or place < self._found[concept][0]):
                    self._found[concept] = place, value

    def value(self, concept: str) -> Any:
        """The first value that isn't empty among the concept's names, or None."""
        found = self._found.get(concept)
        return None if found is None else found[1]

    def text(self, concept: str) -> str:
        """The same as text; empty for none."""
        found = self._found.get(concept)
        return "" if found is None else text_of(found[1])


def text_of(value: Any) -> str:
    """A text or number as text that can be stored, stripped; anything else is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if not text.isascii() or "\0" in text:
        text = _UNSTORABLE.sub("\ufffd", text)
    return text.strip()


def phone_e164(text: str) -> str:
    """The number in E.164, or empty. Directcall writes country code, DDD and number, with or without spaces.

    "ip" before DDD and number marks a number of its own network (ip4130600300).
    """
    return _phone_e164(text) if 0 < len(text) <= MAX_PHONE_LENGTH + 2 else ""


# The same number comes with each piece of news of a call, and our own with all of them.
@lru_cache(10_000)
def _phone_e164(text: str) -> str:
    phone = text.removeprefix("ip")
    if len(phone) > MAX_PHONE_LENGTH or not _PHONE.fullmatch(phone):
        return ""
    digits = _NOT_DIGIT.sub("", phone)
    # 55 is also a DDD (Santa Maria): only the length tells the country code from it.
    if len(digits) in (12, 13) and digits.startswith("55"):
        # The usual case, which the library takes long for: a mobile as the numbering plan has it.
        if _MOBILE.fullmatch(digits) and digits[2:4] in AREA_CODES:
            return f"+{digits}"
        phone = f"+{digits}"
    with contextlib.suppress(InvalidPhone):
        return brazilian_e164(phone)
    return ""


def instant(text: str) -> datetime | None:
    """The instant in UTC, in whichever of the vendor's spellings; None for anything else."""
    if not text:
        return None
    found = _iso(text)
    for date_format in _DATE_FORMATS:
        found = found or _strptime(text, date_format)
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
    return found if found.tzinfo else found.replace(tzinfo=VENDOR_ZONE)


def _strptime(text: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, date_format).replace(tzinfo=VENDOR_ZONE)
    except ValueError:
        return None


def seconds_of(text: str) -> int | None:
    """A duration, as a clock (00:01:30) or a number of seconds; None for anything else."""
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
    elif match := _SECONDS.fullmatch(text):
        total = int(match[1])
    else:
        return None
    return total if total <= MAX_DURATION_SECONDS else None
