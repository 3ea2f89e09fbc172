"""Hours of a week as people write them in a rule: `seg-sex 09:00-21:00; sáb 10:00-16:00`."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# From–to in minutes after midnight; the end is not part of it.
Block = tuple[int, int]
# The blocks of each weekday, Monday first; a day without any is closed.
WeeklyHours = tuple[tuple[Block, ...], ...]

DAY_MINUTES: Final = 24 * 60
ALL_DAY: Final[tuple[Block, ...]] = ((0, DAY_MINUTES),)

_DAYS: Final = ("seg", "ter", "qua", "qui", "sex", "sab", "dom")
_ENGLISH_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY: Final = frozenset({"todos", "daily"})
_PART: Final = re.compile(r"([a-z]+)(?:-([a-z]+))?((?:\s+\d{1,2}(?::\d{2})?-\d{1,2}(?::\d{2})?)+)")
_RANGE: Final = re.compile(r"(\d{1,2})(?::(\d{2}))?-(\d{1,2})(?::(\d{2}))?")


class HoursError(ValueError):
    """The text names no hours; its argument is the part that was not understood."""


def parse_hours(text: str) -> WeeklyHours | None:
    """The hours that the text means; None for an empty text (no limit).

    Shape: parts divided by `;`, each a day, a range of days or `todos`, and one or more `HH:MM-HH:MM`. Portuguese or
    English day names by their first three letters. A range of days may pass Sunday.
    Errors: `HoursError`.
    """
    if not text.strip():
        return None
    days: list[list[Block]] = [[] for _ in range(7)]
    for part in re.split(r"[;\n]", text):
        if plain := _folded(part):
            match = _PART.fullmatch(plain)
            if match is None:
                raise HoursError(part.strip())
            blocks = [_block(found, part) for found in _RANGE.finditer(match[3])]
            for day in _days(match[1], match[2], part):
                days[day] += blocks
    return tuple(_merged(blocks) for blocks in days)


def hours_text(hours: WeeklyHours | None) -> str:
    """The canonical text of these hours, equal neighbours as one range; empty for no limit."""
    if hours is None:
        return ""
    parts = []
    first = 0
    for day in range(1, 8):
        if day == 7 or hours[day] != hours[first]:
            if hours[first]:
                name = _DAYS[first] + (f"-{_DAYS[day - 1]}" if day - 1 > first else "")
                parts.append(
                    f"{name} {' '.join(f'{_clock(opens)}-{_clock(closes)}' for opens, closes in hours[first])}"
                )
            first = day
    return "; ".join(parts)


def shared(one: Sequence[Block], other: Sequence[Block]) -> tuple[Block, ...]:
    """The minutes that both have."""
    common = (
        (max(opens, other_opens), min(closes, other_closes))
        for opens, closes in one
        for other_opens, other_closes in other
    )
    return tuple(sorted(block for block in common if block[0] < block[1]))


def _folded(part: str) -> str:
    letters = unicodedata.normalize("NFKD", part.lower())
    text = "".join(c for c in letters if not unicodedata.combining(c))
    text = re.sub(r"\s*[-\u2013]\s*", "-", text.strip())
    return re.sub(r"(\d{1,2})h(\d{2})?", lambda found: f"{found[1]}:{found[2] or '00'}", text)


def _days(first: str, last: str | None, part: str) -> Iterable[int]:
    if first in _EVERY_DAY and last is None:
        return range(7)
    begin = _day(first, part)
    end = begin if last is None else _day(last, part)
    return [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]


def _day(name: str, part: str) -> int:
    for names in (_DAYS, _ENGLISH_DAYS):
        if name[:3] in names:
            return names.index(name[:3])
    raise HoursError(part.strip())


def _block(found: re.Match[str], part: str) -> Block:
    opens = int(found[1]) * 60 + int(found[2] or 0)
    closes = int(found[3]) * 60 + int(found[4] or 0)
    # 00:00 as an end is the end of the day.
    closes = closes or DAY_MINUTES
    if not opens < closes <= DAY_MINUTES or int(found[2] or 0) > 59 or int(found[4] or 0) > 59:
        raise HoursError(part.strip())
    return opens, closes


def _merged(blocks: Iterable[Block]) -> tuple[Block, ...]:
    merged: list[Block] = []
    for opens, closes in sorted(blocks):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
