"""The only place that knows HTTP: token → method → parameters → handler → envelope, checked in that order."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from callcenter.lib.client_address import client_address
from callcenter.lib.errors import DomainError
from callcenter.lib.limits import RateLimited, calls_from, calls_with, count
from helpdesk.tasks import ring
from helpdesk.tempbox import envelope, methods, registry, wire
from helpdesk.tempbox.auth import caller_of
from helpdesk.tempbox.calls import Call, supplied

if TYPE_CHECKING:
    from django.http import HttpResponse

    from helpdesk.tempbox.registry import Method

__all__ = ["call_method", "methods", "unknown"]

logger = logging.getLogger(__name__)

_FORM: Final = "application/x-www-form-urlencoded"


@csrf_exempt
def call_method(request: HttpRequest, name: str) -> HttpResponse:
    """The envelope that answers one call, whatever comes.

    Checked in this order: method name, verb, size, token, json, required fields, company, record, transition.
    """
    method = registry.find(name)
    if method is None:
        return unknown(request)
    if request.method != "POST":
        refusal = envelope.error("Use POST.", status=405)
        refusal["Allow"] = "POST"
        return refusal
    try:
        return _answer(request, method)
    except RequestDataTooBig:
        return envelope.error("Payload too large.", status=413)
    except RateLimited as refused:
        late = envelope.error(refused.message)
        late["Retry-After"] = str(refused.retry_after_seconds)
        return late
    except DomainError as refused:
        return envelope.error(refused.message)
    except (BadRequest, SuspiciousOperation, UnicodeError):
        return envelope.error("Bad request.")
    except Exception:
        # The method's name alone: parameters are people's words, and the address holds the token.
        logger.exception("tempbox: %s failed", method.name)
        return envelope.error()


@csrf_exempt
def unknown(_request: HttpRequest, _rest: str = "") -> HttpResponse:
    """404 for what is no method."""
    return envelope.error("Unknown method.", status=404)


def _answer(request: HttpRequest, method: Method) -> HttpResponse:
    now = timezone.now()
    count(calls_from(client_address(request)), now=now)
    form = _form(request)

    def parameter(name: str) -> str:
        return _from(request.GET, name) or _from(form, name)

    caller = caller_of(parameter("token") or _bearer(request), now=now)
    if caller is None:
        return envelope.unauthorized()
    count(calls_with(f"tempbox {caller.token.pk}"), now=now)
    given: dict[str, Any] = {}
    if "Hash" in method.query:
        given = {"Hash": parameter("Hash")}
    elif method.parameters:
        # The five without parameters take whatever is sent for none, as the vendor says.
        given = wire.parsed_json(parameter("json"))
    call = Call(caller=caller, method=method, values=supplied(method, given), now=now)
    answer = envelope.ok(_run(call))
    # The answer does not depend on it: while the broker is down, beat finds the work in the tables.
    ring(call.bells)
    return answer


def _run(call: Call) -> list[dict[str, Any]] | None:
    if not call.method.writes:
        return call.method.handler(call)
    with transaction.atomic():
        return call.method.handler(call)


def _form(request: HttpRequest) -> QueryDict:
    """The fields of a form in the body; of any other body none.

    Errors: `RequestDataTooBig`.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig("The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE.")
    return request.POST if request.content_type == _FORM else QueryDict()


def _from(fields: QueryDict, name: str) -> str:
    """The last value of a field, its name in any case."""
    if name in fields:
        return fields.get(name) or ""
    return next((fields.get(key) or "" for key in fields if key.lower() == name.lower()), "")


def _bearer(request: HttpRequest) -> str:
    scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
