"""Reading a request's body: JSON and form text, strictly, into plain values."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from requests_app.dialects.http import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

# As many as Django allows in a form.
_MOST_FIELDS: Final = 1000
_MOST_LEVELS: Final = 10


def json_body(raw: bytes) -> Any:
    """The value of a JSON text.

    Errors: `Refused` 400 with the parser's message; also for NaN, Infinity and numbers too large to hold.
    """
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise Refused(400, _("O JSON tem níveis demais.")) from None
    except ValueError as error:
        reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
        raise Refused(400, _("O corpo não é JSON em UTF-8 (%(reason)s)") % {"reason": reason}) from error


def form_body(raw: bytes) -> dict[str, Any]:
    """The fields of a query string, nested as PHP nests them; of a repeated field the last.

    Errors: `Refused` 400.
    """
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refused(400, _("O corpo não é um formulário em UTF-8.")) from error
    return nested_fields(pairs)


def nested_fields(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The fields, with `cart[0][product_id]` and `cart[]` as lists and maps, which PHP makes of such names.

    Shape: a map whose keys are 0, 1, 2 … is a list.
    """
    fields: dict[str, Any] = {}
    for name, value in pairs:
        head, keys = _path(name)
        place, last = fields, head
        for key in keys:
            inner = place.get(last)
            if not isinstance(inner, dict):
                inner = place[last] = {}
            place, last = inner, key or str(len(inner))
        place[last] = value
    return {name: _listed(value) for name, value in fields.items()}


def _path(name: str) -> tuple[str, list[str]]:
    """`a[b][]` as `a` and `b`, ``; a name without well-formed brackets, or with too many, is one word."""
    head, bracket, rest = name.partition("[")
    if not head or not bracket or not rest.endswith("]"):
        return name, []
    keys = rest[:-1].split("][")
    return (head, keys) if len(keys) <= _MOST_LEVELS and not any(set(key) & set("[]") for key in keys) else (name, [])


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(part) for key, part in value.items()}
    return list(inner.values()) if list(inner) == [str(number) for number in range(len(inner))] else inner


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number
