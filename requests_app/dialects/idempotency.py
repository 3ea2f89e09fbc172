"""The `Idempotency-Key` of a POST, in both dialects: neither original has it, so no client is touched by it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.secrets import digest
from requests_app.dialects.http import Refused, callback_header
from requests_app.services.idempotency import KeyReused, answered_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

    from callcenter.accounts.models import User
    from requests_app.data import KeptAnswer

REPLAYED: Final = "Idempotent-Replayed"
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")


def once(request: Request, user: User, *, operation: str, body: Any, answer: Callable[[], KeptAnswer]) -> HttpResponse:
    """The answer to a POST; with an `Idempotency-Key` it is done once, and a repetition gets the answer of then.

    `operation` names method and resource, whichever of its URLs was called; `body` is the body's value, so that blanks
    and the order of keys do not matter.

    Errors: `Refused` 400 for a key that is none, 409 for one that came with another body.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return _response(answer())
    key = key.strip()
    if not _KEY.fullmatch(key):
        raise Refused(400, _("Idempotency-Key: use de 1 a 255 caracteres ASCII visíveis"))
    fingerprint = digest(f"{operation}\n{json.dumps(body, sort_keys=True)}")
    try:
        given, is_old = answered_once(key, user=user, fingerprint=fingerprint, now=timezone.now(), answer=answer)
    except KeyReused as error:
        raise Refused(409, error.message) from error
    response = _response(given)
    if is_old:
        response[REPLAYED] = "true"
    return response


def _response(answer: KeptAnswer) -> HttpResponse:
    headers = callback_header(answer.callback_at)
    return HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=headers)
