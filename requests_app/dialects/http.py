"""What every view of a dialect does alike: the caller, the refusals, and answers that are always JSON."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from callcenter.lib.errors import Conflict, DomainError, InvalidInput, NotFound
from callcenter.lib.limits import RateLimited
from requests_app.data import Origin
from requests_app.dialects.auth import ApiKeyAuthentication, Caller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rest_framework.request import Request

    from requests_app.models import CallRequest

logger = logging.getLogger(__name__)

# What a caller can cause that no field check foresees: numbers, depths and characters that can't be stored or read.
_UNREADABLE: Final = (
    BadRequest,
    SuspiciousOperation,
    MultiPartParserError,
    RecursionError,
    DataError,
    UnicodeError,
    APIException,
)


class Refused(DomainError):
    """The request is answered with an error status; `details` follow the status's standard phrase."""

    code = "refused"

    def __init__(self, status: int, *details: str) -> None:
        super().__init__("; ".join(details) or HTTPStatus(status).phrase, status=status)
        self.status = status
        self.details = details


def json_response(value: Any, *, status: int = 200, ascii_only: bool = False) -> HttpResponse:
    """The value as a JSON answer."""
    return HttpResponse(encoded(value, ascii_only=ascii_only), status=status, content_type="application/json")


def callback_header(at: datetime | None) -> dict[str, str]:
    """The header that tells a caller which slot the callback was given; empty when it was given none."""
    return {} if at is None else {"X-Callback-Time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def encoded(value: Any, *, ascii_only: bool = False) -> bytes:
    """The value as compact JSON."""
    return (_ASCII if ascii_only else _UNICODE).encode(value).encode()


def no_content() -> HttpResponse:
    """204: neither a body nor a content type."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


_ASCII: Final = json.JSONEncoder(separators=(",", ":"))
_UNICODE: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def error_response(status: int, *details: str, ascii_only: bool = False) -> HttpResponse:
    """The error body of both dialects: `{"message": "Not Found: what", "status": 404}`.

    Source: CS-Cart's REST API; Venddor documents the codes and "status plus descriptive message".
    """
    message = HTTPStatus(status).phrase
    if details:
        message = f"{message}: {'. '.join(detail.rstrip('. ') for detail in details)}"
    return json_response({"message": message, "status": status}, status=status, ascii_only=ascii_only)


class DialectView(APIView):
    """A view whose every answer, errors included, is JSON in the dialects' shape.

    `wire_names` says how the dialect calls a field that a service refused; `ascii_only`, whether other letters are
    escaped.
    """

    source: ClassVar[str]
    wire_names: ClassVar[Mapping[str, str]] = {}
    conflict_status: ClassVar[int] = 409
    ascii_only: ClassVar[bool] = False
    http_method_names = ["get", "post", "put", "delete", "options"]
    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = ()
    renderer_classes = (JSONRenderer,)

    caller: Caller

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing; the caller is known then.

        Errors: `Refused` 401, before anything else is looked at; 403 for a key that came in the clear where HTTPS is
        asked for.
        """
        if not isinstance(request.auth, Caller):
            raise Refused(401)
        if settings.HTTPS and not request.is_secure():
            raise Refused(403, _("Use HTTPS"))
        self.caller = request.auth

    @property
    def default_response_headers(self) -> dict[str, str]:
        """What every answer carries; personal data belong in nobody's cache."""
        return {"Allow": ", ".join(self.allowed_methods), "Cache-Control": "no-store"}

    def tagged(self, value: Any) -> HttpResponse:
        """The value as a JSON answer with a strong ETag; 304 without a body when `If-None-Match` names that."""
        body = encoded(value, ascii_only=self.ascii_only)
        tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        # The caller itself may keep it, and asks each time whether it still holds.
        self.headers["Cache-Control"] = "private, no-cache"
        known = parse_etags(self.request.META.get("HTTP_IF_NONE_MATCH", ""))
        if "*" in known or tag in {text.removeprefix("W/") for text in known}:
            response = HttpResponse(status=304)
            del response["Content-Type"]
        else:
            response = HttpResponse(body, content_type="application/json")
        response["ETag"] = tag
        return response

    def tell_callback(self, call_request: CallRequest) -> None:
        """Nothing; where the change gave the callback a slot, the answer says which, in a header of ours."""
        self.headers.update(callback_header(call_request.booked_at))

    @property
    def origin(self) -> Origin:
        """Who and what the ledger names for a change."""
        return Origin(source=self.source, actor=self.caller.user)

    def require(self, action: str) -> None:
        """Nothing, when the caller may `view`, `add`, `change` or `delete` call requests.

        Errors: `Refused` 403.
        """
        if action not in self.caller.permissions:
            raise Refused(403)

    # DRF lets a view answer with a plain HttpResponse, which skips the renderers; its stubs do not.
    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """An empty JSON string, with the allowed methods in the header."""
        return json_response("")

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Errors: `Refused` 405."""
        raise Refused(405)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """The error answer for whatever a view raised; the unexpected is logged and answered with 500."""
        match exc:
            case Refused():
                response = self._refusal(exc.status, *exc.details)
                if exc.status == HTTPStatus.UNAUTHORIZED:
                    response["WWW-Authenticate"] = self.get_authenticate_header(self.request)
                return response
            case RateLimited():
                response = self._refusal(429, exc.message)
                response["Retry-After"] = str(exc.retry_after_seconds)
                return response
            case InvalidInput():
                return self._refusal(400, f"{self.wire_names.get(exc.field, exc.field)}: {exc.message}")
            case NotFound():
                return self._refusal(404)
            case Conflict():
                return self._refusal(self.conflict_status, exc.message)
            case RequestDataTooBig():
                return self._refusal(413)
        return self._unforeseen(exc)

    def _unforeseen(self, exc: Exception) -> HttpResponse:
        if isinstance(exc, _UNREADABLE):
            logger.warning("%s request refused: %s", self.source, type(exc).__name__)
            return self._refusal(400, _("Os dados enviados não podem ser lidos ou guardados."))
        logger.error("%s %s failed", self.source, self.request.method, exc_info=exc)
        return self._refusal(503 if isinstance(exc, (OperationalError, InterfaceError)) else 500)

    def _refusal(self, status: int, *details: str) -> HttpResponse:
        return error_response(status, *details, ascii_only=self.ascii_only)
