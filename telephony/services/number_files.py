"""Files of numbers as the authorities hand them out: which column is the number, and what a line says."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from callcenter.lib.area_codes import AREA_CODES
from callcenter.lib.phones import InvalidPhone, brazilian_e164

if TYPE_CHECKING:
    from collections.abc import Sequence

_DELIMITERS: Final = (";", "\t", "|", ",")
_NUMBER_WORDS: Final = ("telefone", "fone", "numero", "celular", "linha", "terminal", "phone", "number")
_AREA_WORDS: Final = ("ddd", "area")
_DATE_WORDS: Final = ("data", "date", "cadastro", "inclusao")
_DATE_FORMS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d-%m-%Y")
_NOT_DIGITS: Final = re.compile(r"[^0-9]")


class BadLine(ValueError):
    """A line that gives no number; its argument is the reason's code, never the line."""


@dataclass(frozen=True)
class Layout:
    """Where a file keeps what: `delimiter` empty = nothing but a number a line; -1 = there is no such column."""

    delimiter: str = ""
    number: int = 0
    area_code: int = -1
    listed_on: int = -1
    has_header: bool = False


def layout_of(first_line: str) -> Layout:
    """The layout that a file's first line means: by its column names, else the first column is the number."""
    delimiter = next((sign for sign in _DELIMITERS if sign in first_line), "")
    names = [_folded(name) for name in _fields(first_line, delimiter)]
    if any(len(_NOT_DIGITS.sub("", name)) >= 8 for name in names):
        return Layout(delimiter=delimiter)
    number = max(0, _column(names, _NUMBER_WORDS))
    area_code = _column(names, _AREA_WORDS)
    return Layout(
        delimiter=delimiter,
        number=number,
        # “DDD + telefone” is one column that has both.
        area_code=-1 if area_code == number else area_code,
        listed_on=_column(names, _DATE_WORDS),
        has_header=any(c.isalpha() for c in first_line),
    )


def number_in(line: str, layout: Layout) -> tuple[str, date | None]:
    """The number of a line in E.164, and the day since which it is listed where the file says so.

    Errors: `BadLine`.
    """
    fields = _fields(line, layout.delimiter)
    try:
        text = fields[layout.number]
        if layout.area_code >= 0:
            text = fields[layout.area_code] + text
        day = fields[layout.listed_on] if layout.listed_on >= 0 else ""
    except IndexError as error:
        raise BadLine("missing_column") from error
    return _e164(text), _day(day) if day else None


def _e164(text: str) -> str:
    # Digits of other scripts are read with care.
    digits = _NOT_DIGITS.sub("", text) if text.isascii() else ""
    if len(digits) in {12, 13} and digits.startswith("55"):
        digits = digits[2:]
    elif len(digits) in {11, 12} and digits.startswith("0"):
        digits = digits[1:]
    # What nearly every line is; the rest is read with care.
    if digits[:2] in AREA_CODES and (
        (len(digits) == 11 and digits[2] == "9") or (len(digits) == 10 and digits[2] in "2345")
    ):
        return f"+55{digits}"
    try:
        return brazilian_e164(text)
    except InvalidPhone as error:
        raise BadLine(error.reason) from error


def _day(text: str) -> date:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text[:10], form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise BadLine("bad_date")


def _fields(line: str, delimiter: str) -> list[str]:
    parts = line.split(delimiter) if delimiter else [line]
    return [part.strip().strip('"').strip() for part in parts]


def _column(names: Sequence[str], words: Sequence[str]) -> int:
    """The column that says the first of these words: “número do protocolo” gives way to “telefone”."""
    return next((place for word in words for place, name in enumerate(names) if word in name), -1)


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower().lstrip("\ufeff"))
    return "".join(c for c in letters if not unicodedata.combining(c))
