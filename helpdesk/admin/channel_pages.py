"""The pages beside a channel's form: its test, and the widget of a site chat as visitors see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.errors import DomainError
from helpdesk.chat.embedding import page_with_widget, widget_code
from helpdesk.selectors.chat import origins_of
from helpdesk.services.channel_trials import try_channel
from helpdesk.states import Adapter

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from helpdesk.admin.channels import ChannelAdmin
    from helpdesk.models import Channel


def trial_page(request: HttpRequest, model_admin: ChannelAdmin, channel: Channel) -> HttpResponse:
    """What a test of the channel would do; after a POST, what came of it."""
    trials, status = None, 200
    if request.method == "POST":
        try:
            trials = try_channel(channel, request.user, now=timezone.now())  # type: ignore[arg-type]
            model_admin.log_change(request, channel, _("Canal testado."))
        except DomainError as error:
            messages.error(request, error.message)
            status = 429
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": _("Testar o canal %(channel)s") % {"channel": channel.title},
        "opts": model_admin.opts,
        "channel": channel,
        "kind": channel.adapter,
        "can_send": channel.adapter in {Adapter.WEBHOOK, Adapter.EMAIL},
        "is_site_chat": channel.adapter == Adapter.SITE_CHAT,
        "has_mailbox": bool(channel.settings.get("imap_host")),
        "address": channel.settings.get("url", ""),
        "origins": origins_of(channel),
        "widget_code": widget_code(request, channel),
        "trials": trials,
    }
    response = TemplateResponse(request, "admin/helpdesk/channel/trial.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def preview_page(request: HttpRequest, channel: Channel) -> HttpResponseBase:
    """A bare page with the channel's widget on it, which is the real one."""
    return page_with_widget(request, channel, "helpdesk/chat_preview.html")
