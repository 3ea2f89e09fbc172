"""Texts that the API gives for people to read: dates typed as string, initials, colours. Always Portuguese."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import uuid
    from datetime import datetime
    from zoneinfo import ZoneInfo

_HOUR: Final = 3600
_MINUTE: Final = 60
_SHORT: Final = 60
# Dark enough for white initials, and far apart.
_HUES: Final = ("#ad1457", "#6a1b9a", "#4527a0", "#283593", "#1565c0", "#00695c", "#2e7d32", "#558b2f", "#9e6a00",
                "#d84315", "#4e342e", "#37474f")  # fmt: skip


def day_and_time(at: datetime | None, zone: ZoneInfo) -> str | None:
    """`09/05/2024 14:03`."""
    return None if at is None else f"{at.astimezone(zone):%d/%m/%Y %H:%M}"


def day_month_time(at: datetime | None, zone: ZoneInfo) -> str | None:
    """`09/05 14:03`."""
    return None if at is None else f"{at.astimezone(zone):%d/%m %H:%M}"


def hour(at: datetime | None, zone: ZoneInfo) -> str | None:
    """`14:03`."""
    return None if at is None else f"{at.astimezone(zone):%H:%M}"


def hour_with_seconds(at: datetime | None, zone: ZoneInfo) -> str | None:
    """`14:03:27`."""
    return None if at is None else f"{at.astimezone(zone):%H:%M:%S}"


def moment(at: datetime | None, zone: ZoneInfo, *, now: datetime) -> str | None:
    """How long ago: “agora”, “há 5 min”, “há 3 h”, “ontem 14:03”, then the date."""
    if at is None:
        return None
    seconds = (now - at).total_seconds()
    if seconds < _MINUTE:
        return "agora"
    if seconds < _HOUR:
        return f"há {int(seconds // _MINUTE)} min"
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"há {int(seconds // _HOUR)} h"
    if local.date() == today - timedelta(days=1):
        return f"ontem {local:%H:%M}"
    return f"{local:%d/%m/%Y %H:%M}"


def length(span: timedelta | None) -> str:
    """A length of time as `HH:mm:ss`, empty for none; hours go on past 99."""
    if span is None:
        return ""
    seconds = max(0, int(span.total_seconds()))
    return f"{seconds // _HOUR:02d}:{seconds % _HOUR // _MINUTE:02d}:{seconds % _MINUTE:02d}"


def initials(title: str) -> str:
    """The first letters of the first and the last word, in upper case."""
    words = [word for word in title.split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def colour(key: uuid.UUID) -> str:
    """A colour that always belongs to this hash, as `#rrggbb`."""
    return _HUES[key.int % len(_HUES)]


def first_word(name: str | None) -> str | None:
    """The first word of a name; none of none."""
    return name.split(maxsplit=1)[0] if name and name.strip() else name


def place(city: str, state: str) -> str:
    """`Campinas/SP`, or the one of the two that is known."""
    return "/".join(part for part in (city, state) if part)


def shortened(text: str) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1].rstrip()}…"
