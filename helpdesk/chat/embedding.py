"""The widget on a page of ours: the demo's shop and the preview of a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csp.decorators import csp_update
from django.conf import settings
from django.shortcuts import render
from django.templatetags.static import static

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from helpdesk.models import Channel


def widget_code(request: HttpRequest, channel: Channel) -> str:
    """The script tag that puts the channel's widget on any page."""
    address = request.build_absolute_uri(static("helpdesk/chat.js"))
    return f'<script src="{address}"\n        data-canal="{channel.hash}" async></script>'


def page_with_widget(
    request: HttpRequest, channel: Channel, template: str, context: dict[str, Any] | None = None
) -> HttpResponseBase:
    """The page, which may connect to wherever the streams are."""

    def page(request: HttpRequest) -> HttpResponse:
        shown = {"channel": channel, "widget_code": widget_code(request, channel), **(context or {})}
        return render(request, template, shown)

    if not settings.CHAT_STREAM_URL:
        return page(request)
    return csp_update({"connect-src": [settings.CHAT_STREAM_URL]})(page)(request)
