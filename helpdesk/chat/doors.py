"""What every answer to a visitor's page has in common: who may read it, how often one may ask, and how errors look.

No cookie is looked at: whoever knows a conversation's hash is its visitor, so there is nothing to forge.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from callcenter.lib.client_address import client_address
from callcenter.lib.errors import Conflict, InvalidInput, NotFound
from callcenter.lib.limits import RateLimited, Tally, count

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Collection
    from datetime import datetime

    View = Callable[..., HttpResponse]

_MINUTE: Final = 60
_HOUR: Final = 3600


def door(*methods: str, origins_for: Callable[[uuid.UUID], Collection[str] | None]) -> Callable[[View], View]:
    """The view behind CORS, rate limits and JSON errors; it gets the request and the hash of its URL.

    `origins_for(hash)` = the origins that may read the answer; None = there is no such thing.
    """

    def wrap(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest, key: uuid.UUID, **kwargs: Any) -> HttpResponse:
            try:
                count(calls_from(client_address(request)), now=timezone.now())
                origins = origins_for(key)
                allowed = may_read(request.headers.get("Origin"), origins or (), own=_own_origins(request))
                response = _answered(request, view, methods, is_allowed=allowed, is_known=origins is not None)(
                    key, **kwargs
                )
            except RateLimited as error:
                allowed, response = True, refusal(429, error.message)
                response["Retry-After"] = str(error.retry_after_seconds)
            return _with_headers(request, response, methods, is_allowed=allowed)

        return answer

    return wrap


def may_read(origin: str | None, origins: Collection[str], *, own: Collection[str]) -> bool:
    """Whether a page of that origin may; without one it is no other site's page that asks."""
    return origin is None or "*" in origins or origin.lower() in origins or origin.lower() in own


def calls_from(address: str) -> Tally:
    """Everything that one client address asks of the chat."""
    return Tally("chat calls from", address, address, settings.CHAT_CALLS_PER_MINUTE_PER_ADDRESS, _MINUTE)


def allow_opening(request: HttpRequest, *, now: datetime) -> None:
    """Nothing, while the address may open more conversations.

    Errors: `RateLimited`.
    """
    address = client_address(request)
    count(Tally("chats opened from", address, address, settings.CHAT_OPENINGS_PER_HOUR_PER_ADDRESS, _HOUR), now=now)


def allow_message(key: uuid.UUID, *, now: datetime) -> None:
    """Nothing, while the visitor of that conversation may write more.

    Errors: `RateLimited`.
    """
    most = settings.CHAT_MESSAGES_PER_MINUTE_PER_CONVERSATION
    count(Tally("chat messages in", str(key), "one conversation", most, _MINUTE), now=now)


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of the body.

    Errors: `InvalidInput`.
    """
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("json", _("O corpo não é um objeto JSON.")) from error
    if not isinstance(body, dict):
        raise InvalidInput("json", _("O corpo não é um objeto JSON."))
    return body


def refusal(status: int, message: str) -> JsonResponse:
    """An error as the chat says it."""
    return JsonResponse({"erro": message}, status=status)


def _answered(
    request: HttpRequest, view: View, methods: tuple[str, ...], *, is_allowed: bool, is_known: bool
) -> Callable[..., HttpResponse]:
    def call(key: uuid.UUID, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(status=204)
        if request.method not in methods:
            return refusal(405, _("Método não permitido."))
        if not is_known:
            return refusal(404, _("Esta conversa não existe."))
        if not is_allowed:
            return refusal(403, _("Este site não pode usar este chat."))
        try:
            return view(request, key, **kwargs)
        except InvalidInput as error:
            return refusal(400, error.message)
        except RequestDataTooBig:
            return refusal(413, _("O corpo é grande demais."))
        except NotFound:
            return refusal(404, _("Esta conversa não existe."))
        except Conflict as error:
            return refusal(409, error.message)

    return call


def _own_origins(request: HttpRequest) -> tuple[str, ...]:
    public = urlsplit(settings.PUBLIC_URL)
    return (f"{public.scheme}://{public.netloc}".lower(), f"{request.scheme}://{request.get_host()}".lower())


def _with_headers(
    request: HttpRequest, response: HttpResponse, methods: tuple[str, ...], *, is_allowed: bool
) -> HttpResponse:
    response.setdefault("Cache-Control", "no-store")
    response.setdefault("X-Content-Type-Options", "nosniff")
    response["Vary"] = "Origin"
    origin = request.headers.get("Origin")
    if origin and is_allowed:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Methods"] = ", ".join(methods)
            response["Access-Control-Allow-Headers"] = "Content-Type"
            response["Access-Control-Max-Age"] = "600"
    return response
