"""Which mounts a request meets: those of one dialect, at a host name that an installation gave to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http.request import split_domain_port, validate_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class DialectHosts:
    """Looks at the request's host name; CS-Cart's names first, so that one may lie below a `.name` of Venddor's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, from the mounts of that host."""
        if settings.CSCART_HOSTS or settings.VENDDOR_HOSTS or settings.TEMPBOX_HOSTS:
            host, _port = split_domain_port(request.get_host())
            if validate_host(host, settings.CSCART_HOSTS):
                request.urlconf = "callcenter.urls_cscart"
            elif validate_host(host, settings.VENDDOR_HOSTS):
                request.urlconf = "callcenter.urls_venddor"
            elif validate_host(host, settings.TEMPBOX_HOSTS):
                request.urlconf = "callcenter.urls_tempbox"
        return self._get_response(request)
