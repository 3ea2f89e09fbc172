"""Reading a request's body: JSON and form text, strictly, into plain values."""

from __future__ import annotations

import json
import math
from typing import Any, Final
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from requests_app.dialects.http import Refused

# As many as Django allows in a form.
_MOST_FIELDS: Final = 1000


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


def form_body(raw: bytes) -> dict[str, str]:
    """The fields of a query string; of a repeated field the last.

    Errors: `Refused` 400.
    """
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refused(400, _("O corpo não é um formulário em UTF-8.")) from error
    return dict(pairs)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number
