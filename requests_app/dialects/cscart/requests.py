"""What CS-Cart looks at before its entity sees a request: content type, accepted types, body, and the URL's id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from requests_app.dialects.bodies import form_body, json_body, nested_fields
from requests_app.dialects.http import Refused

if TYPE_CHECKING:
    from rest_framework.request import Request

_JSON: Final = frozenset({"application/json", "application/javascript"})
FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_ACCEPTABLE: Final = _JSON | FORMS | {"text/plain", "*/*"}
# PHP's is_numeric.
_NUMERIC: Final = re.compile(r"[ \t\n\r\v\f]*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[ \t\n\r\v\f]*", re.ASCII)
_BEYOND_ANY_ID: Final = 2**63 - 1


def check_accept(header: str) -> None:
    """Nothing, when the client takes JSON; no header, or an empty one, takes everything.

    Errors: `Refused` 406.
    """
    if header.strip() and not any(_is_wanted(part) for part in header.split(",")):
        raise Refused(406)


def _is_wanted(part: str) -> bool:
    media_type, *parameters = (word.strip().lower() for word in part.split(";"))
    return media_type in _ACCEPTABLE and not any(re.fullmatch(r"q=0(\.0*)?", word) for word in parameters)


def media_type_of(request: Request) -> str:
    """The type of the body without its parameters; `text/plain` when none is named."""
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower() or "text/plain"


def check_content_type(request: Request) -> None:
    """Nothing, when a body of this type can be read.

    Errors: `Refused` 415.
    """
    if media_type_of(request) not in _JSON | FORMS | {"text/plain"}:
        raise Refused(415)


def body_of(request: Request) -> Any:
    """The body's value by its content type; a form only for POST, as PHP reads it.

    Errors: `Refused` 400.
    """
    media_type = media_type_of(request)
    if media_type in _JSON:
        return json_body(request.body)
    if media_type == "text/plain":
        return form_body(request.body)
    if request.method != "POST":
        return {}
    if media_type == "multipart/form-data":
        return nested_fields((name, value) for name, values in request._request.POST.lists() for value in values)
    return form_body(request.body)


def numeric_id(segment: str) -> int | None:
    """The id that a segment of the URL means, as PHP casts it; None when it is not numeric."""
    if not _NUMERIC.fullmatch(segment):
        return None
    number = float(segment)
    if abs(number) >= 2**53:
        # Where a float is no longer exact: a plain number is read as such, anything longer is no row's id.
        digits = segment.strip()
        return int(digits) if digits.isdigit() and len(digits) <= 18 else _BEYOND_ANY_ID
    return int(number)
