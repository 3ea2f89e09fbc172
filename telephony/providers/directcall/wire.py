"""The words of Directcall's API: the envelope of its answers and its return codes. Pure; nothing is sent here.

Sources: https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367 (callbacks, the envelope's example) and
the same site's "Códigos de retorno ou de erro".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final
from xml.etree import ElementTree

from callcenter.lib.errors import DomainError
from telephony.providers.base import Misconfigured, ProviderError, Refused, Unauthorized, Unavailable
from telephony.providers.directcall.values import VENDOR_ZONE

ADD_CALLBACK_PATH: Final = "/voz/add-callback"
# Not public; they follow the SMS twin's `/sms/list-callback`.
LIST_CALLBACKS_PATH: Final = "/voz/list-callback"
REMOVE_CALLBACK_PATH: Final = "/voz/remove-callback"
TOKEN_PATH: Final = "/request_token"  # a path, not a password
# Sources: http://doc.directcallsoft.com/pages/viewpage.action?pageId=328829 (call), …pageId=329624 (status),
# https://docs.api.directcall.com.br/wiki/x/bQJnAQ (end), http://doc.directcallsoft.com/…pageId=950315 (extrato),
# …pageId=329648 (list-recordings). The balance's path is known from public code only.
CALL_PATH: Final = "/voz/call"
STATUS_PATH: Final = "/voz/status"
END_PATH: Final = "/voz/end"
STATEMENT_PATH: Final = "/extrato/list"
RECORDINGS_PATH: Final = "/extrato/list-recordings"
BALANCE_PATH: Final = "/extrato/saldo"

SUCCESS: Final = "000"
NOT_ACTIVE: Final = "003"
ALREADY_GONE: Final = "010"


class CodeClass(Enum):
    """What a return code asks of us."""

    SUCCESS = "success"
    PERMANENT = "permanent"  # the same again fails again
    RETRYABLE = "retryable"  # later it may work
    TOKEN = "token"  # a new token, once
    GONE = "gone"  # what should be ended or removed is not there any more
    STOP = "stop"  # the account can't be used until a person has looked


# Source: "Códigos de retorno ou de erro". 100 and 101 are named differently by an older version: never branch on them.
CODES: Final[Mapping[str, CodeClass]] = {
    "000": CodeClass.SUCCESS,  # ok
    "001": CodeClass.PERMANENT,  # bad or missing parameters; but see `Envelope.is_success`
    "002": CodeClass.RETRYABLE,  # the call could not be requested
    "003": CodeClass.GONE,  # the call is not active
    "004": CodeClass.RETRYABLE,  # the call is not finished
    "005": CodeClass.RETRYABLE,  # connection failure
    "006": CodeClass.TOKEN,  # authentication failure
    "007": CodeClass.RETRYABLE,  # connection to the SMS server failed
    "008": CodeClass.RETRYABLE,  # the message could not be sent
    "009": CodeClass.PERMANENT,  # no such field code
    "010": CodeClass.GONE,  # the identifier doesn't exist or was cancelled already
    "011": CodeClass.RETRYABLE,  # trouble in the billing service
    "100": CodeClass.STOP,
    "101": CodeClass.STOP,
    "102": CodeClass.STOP,  # no calls of this kind left
    "200": CodeClass.STOP,  # the user is not registered
    "201": CodeClass.STOP,  # not enough balance
}

_ERRORS: Final[Mapping[CodeClass, type[ProviderError]]] = {
    CodeClass.RETRYABLE: Unavailable,
    CodeClass.TOKEN: Unauthorized,
    CodeClass.STOP: Misconfigured,
}

# "^[0-9]{12,13}$" in the client libraries; 0800 has its code where the DDD is.
_NUMBER: Final = re.compile(r"\+55(?!800)[1-9][0-9]{9,10}")

# How deep a list of callbacks may lie in its envelope; the shape is not public.
_MAX_DEPTH: Final = 4


class UnreadableAnswer(DomainError):
    """The answer is no envelope."""

    code = "unreadable_answer"


@dataclass(frozen=True)
class Envelope:
    """An answer of the API; `codigo` is empty when none was sent. Its repr shows no field, which may be secret."""

    status: str
    codigo: str
    modulo: str
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def needs_new_token(self) -> bool:
        """Whether the access token was refused; `error_description` (OAuth's) may come in place of the envelope."""
        return "error_description" in self.fields or CODES.get(self.codigo) is CodeClass.TOKEN

    @property
    def is_envelope(self) -> bool:
        """Whether it says how it ended; a page of HTML that happens to be XML does not."""
        return bool(self.status or self.codigo or self.needs_new_token)

    @property
    def is_known(self) -> bool:
        """Whether the return code is one of the table, so that we know what was done."""
        return self.codigo in CODES

    @property
    def is_success(self) -> bool:
        """Whether the method did what was asked.

        A registration that went well is answered with codigo 001, which elsewhere means bad parameters.
        Source: the example on https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367
        """
        if self.needs_new_token or self.status != "ok":
            return False
        return self.codigo == SUCCESS or (self.modulo.startswith("add-callback") and bool(self.text("code")))

    def text(self, name: str) -> str:
        """A field's text, stripped; empty when it is missing or no text."""
        return _scalar(self.fields.get(name))

    def error(self) -> ProviderError:
        """The failure that the return code means; it holds none of the vendor's text, which may echo a parameter."""
        if self.needs_new_token:
            return Unauthorized("Directcall refused the credentials.", codigo=self.codigo)
        kind = _ERRORS.get(CODES.get(self.codigo, CodeClass.PERMANENT), Refused)
        shown = self.codigo if self.codigo in CODES else "unknown to us"
        return kind(f"Directcall answered with return code {shown}.", codigo=shown)


@dataclass(frozen=True)
class RegisteredCallback:
    """A URL that Directcall posts to; `pin` empty = for all. The URL may hold a password, so the repr shows none."""

    code: str
    url: str = field(repr=False)
    pin: str = ""


def read_envelope(content: bytes) -> Envelope:
    """The answer's envelope, sent as JSON (also wrapped in a list of one) or as XML.

    Errors: `UnreadableAnswer`.
    """
    text = _decoded(content).lstrip("\ufeff \t\r\n")
    fields = _xml_fields(text) if text.startswith("<") else _json_fields(text)
    codigo = fields.get("codigo")
    return Envelope(
        status=_scalar(fields.get("status")).casefold(),
        codigo=f"{codigo:03d}" if type(codigo) is int else _scalar(codigo),
        modulo=_scalar(fields.get("modulo")).casefold(),
        fields=fields,
    )


def read_callbacks(envelope: Envelope) -> list[RegisteredCallback]:
    """The registered URLs, wherever in the envelope they lie.

    Errors: `UnreadableAnswer` when `total` says that there are some and none can be found.
    """
    found = [each for value in envelope.fields.values() for each in _callbacks(value, depth=_MAX_DEPTH)]
    if not found and envelope.text("total") not in ("", "0"):
        raise UnreadableAnswer("The list of callbacks has a shape that we don't know.")
    return found


def carrier_number(phone_e164: str) -> str:
    """The number as Directcall wants it: 55, DDD, subscriber, digits only (`5541988887777`).

    Errors: `Refused` for what has no DDD (0800, 4004) or is not Brazilian.
    """
    if not _NUMBER.fullmatch(phone_e164):
        raise Refused("Only Brazilian numbers with DDD can be asked about.")
    return phone_e164.removeprefix("+")


def digits(number: str) -> str:
    """The digits of a number as the carrier writes it, for comparing."""
    return "".join(character for character in number if character.isdecimal())


def filter_instant(at: datetime) -> str:
    """The instant as the statement's filters want it: `YmdHis`, in the carrier's own zone (inferred)."""
    return f"{at.astimezone(VENDOR_ZONE):%Y%m%d%H%M%S}"


def _callbacks(value: Any, *, depth: int) -> Iterator[RegisteredCallback]:
    if depth == 0:
        return
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        # JSON in a string inside JSON: older methods answer so.
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    if isinstance(value, dict):
        if isinstance(value.get("code"), str) and isinstance(value.get("url"), str):
            yield RegisteredCallback(code=value["code"], url=value["url"], pin=str(value.get("pin") or ""))
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _callbacks(each, depth=depth - 1)


def _scalar(value: Any) -> str:
    """A text or whole number as text, stripped; empty for anything of another type."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _json_fields(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer("The answer is not JSON.") from error
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise UnreadableAnswer("The answer is not an object.")
    return value


def _xml_fields(text: str) -> dict[str, Any]:
    # A document type is the door to entities that expand without end or read files; no answer has a reason for one.
    if "<!DOCTYPE" in text.upper():
        raise UnreadableAnswer("The answer is XML with a document type.")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise UnreadableAnswer("The answer is not XML.") from error
    # Only the nearest level counts: an element of a list must not pass for one of the envelope.
    level = list(root)
    while len(level) == 1 and len(level[0]):
        level = list(level[0])
    return {each.tag: _xml_value(each, depth=_MAX_DEPTH) for each in level}


def _xml_value(element: ElementTree.Element, *, depth: int) -> Any:
    if not len(element) or depth == 0:
        return element.text or ""
    children = [(child.tag, _xml_value(child, depth=depth - 1)) for child in element]
    named = dict(children)
    return named if len(named) == len(children) else [value for _tag, value in children]
