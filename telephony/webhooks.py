"""Directcall's callback: authenticated by its secret path, stored raw and answered; it is read later."""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from callcenter.lib.secrets import SecretUnreadable, same
from telephony.selectors import callback_by_secret
from telephony.services.callbacks import SELF_TEST_HEADER
from telephony.services.receiving import store_callback

if TYPE_CHECKING:
    from telephony.models import CallbackRegistration

log = logging.getLogger(__name__)


@csrf_exempt
def directcall_callback(request: HttpRequest, secret: str) -> JsonResponse:
    """What Directcall gets for a status update.

    200 once the body is stored, whatever is in it; 401 wrong Basic credentials; 404 unknown path; 405 not a POST;
    411 without a length; 413 over `WEBHOOK_MAX_BYTES`; 503 when it could not be stored, and only then is sending it
    again of use.
    """
    if request.method != "POST":
        return _answer(405, "Use POST.", Allow="POST")
    try:
        body = _body(request)
        is_plain = bool(body) and SELF_TEST_HEADER not in request.headers
        if is_plain and _is_stored(request, secret, body or b"", is_authorized=False):
            return _answer(200, "ok")
        return _looked_at(request, secret, body)
    except (DatabaseError, SecretUnreadable):
        log.exception("a callback could not be stored")
        return _answer(503, "Not stored; send it again.", **{"Retry-After": "5"})


def _looked_at(request: HttpRequest, secret: str, body: bytes | None) -> JsonResponse:
    """The answer to a delivery whose address must be looked at first: it asks for HTTP Basic, or is wrong."""
    registration = callback_by_secret(secret)
    if registration is None:
        return _answer(404, "Unknown address.")
    if not _is_authorized(request, registration):
        return _answer(401, "Wrong credentials.", **{"WWW-Authenticate": 'Basic realm="callback"'})
    if "Content-Length" not in request.headers:
        # Django reads nothing of such a body: answering 200 would lose it in silence.
        return _answer(411, "A Content-Length is needed.")
    if SELF_TEST_HEADER in request.headers:
        # Our own question whether a delivery to this address would be taken; it is none.
        return _answer(200, "self-test")
    if body is None:
        return _answer(413, f"At most {settings.WEBHOOK_MAX_BYTES} bytes.")
    # Removed in between: then it is unknown by now.
    is_stored = _is_stored(request, secret, body, is_authorized=True)
    return _answer(200, "ok") if is_stored else _answer(404, "Unknown address.")


def _is_stored(request: HttpRequest, secret: str, body: bytes, *, is_authorized: bool) -> bool:
    content_type = request.headers.get("Content-Type", "")
    return store_callback(secret, body=body, content_type=content_type, now=timezone.now(), is_authorized=is_authorized)


def _is_authorized(request: HttpRequest, registration: CallbackRegistration) -> bool:
    """Whether HTTP Basic is right, or not asked for."""
    if not registration.username:
        return True
    scheme, _space, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        # Not Base64 (binascii.Error), not ASCII, or not UTF-8.
        return False
    return same(given, f"{registration.username}:{registration.password}")


def _body(request: HttpRequest) -> bytes | None:
    """The raw body; None when it is too large. Read straight from the wire: parsing comes after storing."""
    longest: int = settings.WEBHOOK_MAX_BYTES
    try:
        announced = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        announced = 0
    if announced > longest:
        return None
    body = request.read(longest + 1)
    return None if len(body) > longest else body


def _answer(status_code: int, message: str, **headers: str) -> JsonResponse:
    return JsonResponse({"message": message, "status": status_code}, status=status_code, headers=headers)
