"""The types of the wire: Python values to what travels and back, as SQL Server and Json.NET print them.

Source: https://api.tempbox.com.br/referencias/atendimento names the types; the texts are those of
https://learn.microsoft.com/sql/t-sql/data-types/smalldatetime-transact-sql and of Json.NET's ISO dates.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

# What a date without an offset means where no company says otherwise.
DEFAULT_ZONE: Final = ZoneInfo("America/Sao_Paulo")
SMALLEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LARGEST: Final = datetime(2079, 6, 6, 23, 59, 59, tzinfo=UTC)
_INT: Final = (-(2**31), 2**31 - 1)
_BIGINT: Final = (-(2**63), 2**63 - 1)
_HALF_MINUTE: Final = timedelta(seconds=29, milliseconds=999)
_BRAZILIAN: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?")
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,7})?)?\s?(?:Z|[+-]\d{2}:?\d{2})?)?")
_WHOLE: Final = re.compile(r"[+-]?\d{1,20}")
_BITS: Final = {"1": True, "0": False, "true": True, "false": False}

# --- Out ------------------------------------------------------------------------------------------------------------


def guid_out(value: Any, _zone: ZoneInfo) -> str | None:
    """Lower case, with hyphens."""
    return None if value is None else str(value)


def bit_out(value: Any, _zone: ZoneInfo) -> bool | None:
    """true or false."""
    return None if value is None else bool(value)


def int_out(value: Any, _zone: ZoneInfo) -> int | None:
    """A number; a text is never emitted where the contract says int."""
    return int(value) if isinstance(value, int) else None


def text_out(value: Any, _zone: ZoneInfo) -> str | None:
    """The text."""
    return None if value is None else str(value)


def datetime_out(value: datetime | None, zone: ZoneInfo) -> str | None:
    """`2024-05-09T14:03:27.123` by the company's clock, without an offset; a zero fraction is left out."""
    if value is None:
        return None
    local = value.astimezone(zone).replace(tzinfo=None)
    if not local.microsecond // 1000:
        return local.isoformat(timespec="seconds")
    return local.isoformat(timespec="milliseconds").rstrip("0")


def smalldatetime_out(value: datetime | None, zone: ZoneInfo) -> str | None:
    """`2024-05-09T14:03:00`, rounded to the minute: 29.998 seconds down, 29.999 up."""
    if value is None:
        return None
    return rounded_minute(value).astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


OUT: Final[dict[str, Callable[[Any, ZoneInfo], Any]]] = {
    "uniqueidentifier": guid_out,
    "bit": bit_out,
    "int": int_out,
    "bigint": int_out,
    "string": text_out,
    "text": text_out,
    "datetime": datetime_out,
    "smalldatetime": smalldatetime_out,
}


def rounded_minute(value: datetime) -> datetime:
    """The full minute that SQL Server's smalldatetime keeps of the instant."""
    minute = value.replace(second=0, microsecond=0)
    # SQL Server reads the fraction of a second to the millisecond.
    rest = timedelta(seconds=value.second, milliseconds=value.microsecond // 1000)
    return minute + timedelta(minutes=1) if rest >= _HALF_MINUTE else minute


# --- In -------------------------------------------------------------------------------------------------------------


def parsed_json(text: str) -> dict[str, Any]:
    """The object of a `json` parameter; absent and empty are an empty one.

    Errors: `InvalidInput` for what is no JSON object; NaN, Infinity and numbers that can't be held are none.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("json", _("O parâmetro json não é um JSON válido.")) from error
    if not isinstance(value, dict):
        raise InvalidInput("json", _("O parâmetro json precisa ser um objeto."))
    return value


def guid_in(value: Any, name: str) -> uuid.UUID:
    """A GUID in any case, with or without braces and hyphens.

    Errors: `InvalidInput`.
    """
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] == "{" and text[-1:] == "}":
        text = text[1:-1]
    digits = text.replace("-", "")
    if len(digits) != 32 or not digits.isascii() or not digits.isalnum():
        raise InvalidInput(name, _("“%(name)s” não é um identificador.") % {"name": name})
    try:
        return uuid.UUID(hex=digits)
    except ValueError as error:
        raise InvalidInput(name, _("“%(name)s” não é um identificador.") % {"name": name}) from error


def text_in(value: Any, name: str) -> str:
    """A text; a number is taken as written.

    Errors: `InvalidInput`.
    """
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise InvalidInput(name, _("“%(name)s” tem um caractere que não pode ser guardado.") % {"name": name})
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidInput(name, _("“%(name)s” precisa ser um texto.") % {"name": name})


def int_in(value: Any, name: str, *, bounds: tuple[int, int] = _INT) -> int:
    """A whole number, as a number or as digits.

    Errors: `InvalidInput`, also for one that SQL Server's int can't hold.
    """
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        number = int(value.strip())
    if number is None or not bounds[0] <= number <= bounds[1]:
        raise InvalidInput(name, _("“%(name)s” precisa ser um número inteiro.") % {"name": name})
    return number


def bigint_in(value: Any, name: str) -> int:
    """The same with 64 bits."""
    return int_in(value, name, bounds=_BIGINT)


def bit_in(value: Any, name: str) -> bool:
    """true, false, 1, 0, also as texts.

    Errors: `InvalidInput`.
    """
    if isinstance(value, bool):
        return value
    found = _BITS.get(str(value).strip().lower()) if isinstance(value, int | str) else None
    if found is None:
        raise InvalidInput(name, _("“%(name)s” precisa ser verdadeiro ou falso.") % {"name": name})
    return found


def smalldatetime_in(value: Any, name: str, *, zone: ZoneInfo = DEFAULT_ZONE) -> datetime:
    """The instant of an ISO 8601 or `dd/MM/yyyy HH:mm[:ss]` text; without an offset it is by the company's clock.

    Rounded to the minute, as on the way out.
    Errors: `InvalidInput`, also outside 1900-01-01 … 2079-06-06.
    """
    read = _instant(value.strip(), zone) if isinstance(value, str) else None
    if read is None or not SMALLEST <= read <= LARGEST or rounded_minute(read) > LARGEST:
        raise InvalidInput(name, _("“%(name)s” não é uma data aceita.") % {"name": name})
    return rounded_minute(read)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        if match := _BRAZILIAN.fullmatch(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
        if not _ISO.fullmatch(text):
            return None
        # SQL Server writes up to seven digits of a second, Python reads six.
        read = datetime.fromisoformat(re.sub(r"([.,]\d{6})\d", r"\1", text.replace(" ", "T", 1).replace(" ", "")))
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number
