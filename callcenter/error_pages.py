"""The answers to requests that no view answered: JSON for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.http import JsonResponse
from django.views import defaults

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# Where programs call; a person never sees what is answered there.
_PROGRAMS: Final = ("/api", "/venddor", "/webhooks", "/healthz", "/readyz")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400, for a host name that is not ours, say."""
    return _json(400) if _is_program(request) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403."""
    return _json(403) if _is_program(request) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404."""
    return _json(404) if _is_program(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500; what happened is in the log."""
    return _json(500) if _is_program(request) else defaults.server_error(request)


def _is_program(request: HttpRequest) -> bool:
    return request.path_info.startswith(_PROGRAMS)


def _json(status: int) -> JsonResponse:
    """The error body of the dialects."""
    return JsonResponse({"message": HTTPStatus(status).phrase, "status": status}, status=status)
