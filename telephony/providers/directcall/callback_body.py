"""From the bytes of a callback to the JSON object in it, however they are labelled.

Directcall documents one form field, `data`, that holds JSON. What is accepted besides is what a change on their side,
a proxy or a test by hand could send. The label is not trusted: the body's own look decides.
Source: the callback page, "FORMATO x-www-form-urlencoded, PARÂMETROS data".
"""

from __future__ import annotations

import binascii
import email.errors
import email.parser
import email.policy
import json
import math
import re
from functools import cache
from typing import Any, Final, Never
from urllib.parse import unquote_to_bytes

from django.utils.translation import gettext_lazy as _

from callcenter.lib.errors import DomainError

# Why a callback can't be read: code -> what staff read.
REASONS: Final = {
    "empty": _("O corpo está vazio."),
    "no_data_field": _("Não há o campo “data” nem JSON no corpo."),
    "several_data_fields": _("Há mais de um campo “data”, com conteúdos diferentes."),
    "bad_multipart": _("O formulário multipart está malformado."),
    "long_call_id": _("O identificador da chamada é longo demais."),
    "not_json": _("O conteúdo não é JSON."),
    "bad_number": _("O JSON contém um número que não é aceito (NaN, infinito ou longo demais)."),
    "too_deep": _("O JSON tem níveis demais."),
    "not_an_object": _("O JSON não é um objeto."),
    "several_objects": _("O JSON é uma lista com mais de um objeto."),
    "no_status": _("Nenhum campo conhecido traz o status da chamada."),
    "api_result": _("É o resultado de um método da API, não o status de uma chamada."),
}

_JSON_STARTS: Final = (b"{", b"[", b'"')
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
# JSON text inside a JSON string, inside a JSON string: more is a mistake or an attack.
_MAX_LAYERS: Final = 3
_BOUNDARY: Final = re.compile(r"multipart/form-data\s*;.*\bboundary=", re.IGNORECASE | re.DOTALL)
_WELL_QUOTED: Final = re.compile(rb"(?:[^%=\r\n\t]|%[0-9A-Fa-f]{2})*+")
_UNPRINTABLE: Final = re.compile(r"[^ -~]")


class UnreadableCallback(DomainError):
    """The body says nothing about a call; `reason` is a key of `REASONS`. Keep the body: a person may read it."""

    code = "unreadable_callback"

    def __init__(self, reason: str) -> None:
        super().__init__(str(REASONS[reason]), reason=reason)
        self.reason = reason


def read_object(body: bytes, content_type: str) -> dict[str, Any]:
    """The JSON object that the body carries: in the form field `data`, or by itself.

    Errors: `UnreadableCallback`, and nothing else whatever the bytes.
    """
    value = _parsed(_json_text(body, content_type))
    if isinstance(value, dict) and set(value) == {"data"}:
        # {"data": {…}}: the form's field as JSON.
        value = value["data"]
    for _layer in range(_MAX_LAYERS):
        if isinstance(value, str):
            value = _parsed(value)
        elif isinstance(value, list) and len(value) == 1:
            value = value[0]
        else:
            break
    if isinstance(value, dict):
        return value
    is_list_of_objects = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    raise UnreadableCallback("several_objects" if is_list_of_objects else "not_an_object")


def _json_text(body: bytes, content_type: str) -> str:
    content = body.removeprefix(_BOM).strip(_BLANK)
    if not content:
        raise UnreadableCallback("empty")
    if _BOUNDARY.match(content_type.strip()):
        return _decoded(_only(_multipart_values(content, content_type)))
    if content.startswith(_JSON_STARTS):
        # Labelled as JSON, or as a form whose only key is the whole JSON (a client that forgot `data=` adds a "=").
        return _decoded(content.removesuffix(b"="))
    values = _form_values(content)
    if not values:
        whole = unquote_to_bytes(content.replace(b"+", b" ").removesuffix(b"="))
        if whole.startswith(_JSON_STARTS):
            return _decoded(whole)
    return _decoded(_only(values))


def _form_values(content: bytes) -> list[bytes]:
    pairs = (pair.partition(b"=") for pair in content.split(b"&"))
    return [_unquoted(value.replace(b"+", b" ")) for name, equals, value in pairs if equals and name == b"data"]


def _unquoted(value: bytes) -> bytes:
    # Quoted-printable is the same but for its mark, and the standard library decodes it in C.
    if _WELL_QUOTED.fullmatch(value):
        return binascii.a2b_qp(value.replace(b"%", b"="))
    return unquote_to_bytes(value)


def _multipart_values(content: bytes, content_type: str) -> list[bytes]:
    label = _UNPRINTABLE.sub(" ", content_type).encode("ascii")
    try:
        message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(
            b"Content-Type: " + label + b"\r\n\r\n" + content
        )
        parts = message.get_payload() if message.is_multipart() else []
        values = [
            part.get_payload(decode=True)
            for part in parts
            if not isinstance(part, str) and part.get_param("name", header="content-disposition") == "data"
        ]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, email.errors.MessageError) as error:
        # The parser promises never to raise; its readers of parameters and encodings do not.
        raise UnreadableCallback("bad_multipart") from error
    return [value for value in values if isinstance(value, bytes)]


def _only(values: list[bytes]) -> bytes:
    if not values:
        raise UnreadableCallback("no_data_field")
    # Two different ones may be two pieces of news: taking one would lose the other in silence.
    if any(value != values[0] for value in values):
        raise UnreadableCallback("several_data_fields")
    return values[0]


def _decoded(content: bytes) -> str:
    """The text: UTF-8 when it is, else Latin-1, whatever the label says."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _parsed(text: str) -> Any:
    try:
        return _decoder().decode(text.lstrip("\ufeff \t\r\n"))
    except json.JSONDecodeError as error:
        raise UnreadableCallback("not_json") from error
    except RecursionError as error:
        raise UnreadableCallback("too_deep") from error
    except ValueError as error:
        # An integer of more digits than Python converts.
        raise UnreadableCallback("bad_number") from error


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refused_constant, parse_float=_finite_float)


def _refused_constant(_text: str) -> Never:
    raise UnreadableCallback("bad_number")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnreadableCallback("bad_number")
    return value
