"""The admin of answered calls that dropped: what was done about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin
from callcenter.lib.display import badge, instant
from telephony.models import AnsweredCall
from telephony.states import AfterDrop

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_TONES = {AfterDrop.CALLBACK: "good", AfterDrop.LIMIT: "bad", AfterDrop.LISTED: "warn"}


@admin.register(AnsweredCall)
class AnsweredCallAdmin(ReadOnlyAdmin):
    """Dropped calls, newest first; those that went their way are in the calls' own list."""

    list_display = ("number", "when", "how", "what_followed", "callback", "conversation", "company")
    list_display_links = ("number",)
    list_filter = ("drop", "after", "company", "dropped_at")
    list_select_related = ("attempt", "company")
    search_fields = ("=attempt__phone_e164",)
    ordering = ("-dropped_at", "-pk")
    fields = ("number", "when", "how", "talked_seconds", "what_followed", "nth_callback", "callback", "conversation")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The dropped ones."""
        return super().get_queryset(request).exclude(drop="")

    @admin.display(description=gettext_lazy("número"), ordering="attempt__phone_e164")
    def number(self, call: AnsweredCall) -> str:
        """As Brazilians write it."""
        return call.attempt.phone_display

    @admin.display(description=gettext_lazy("caiu em"), ordering="dropped_at")
    def when(self, call: AnsweredCall) -> SafeString | str:
        """When it dropped."""
        return instant(call.dropped_at, now=timezone.now())

    @admin.display(description=gettext_lazy("como caiu"), ordering="drop")
    def how(self, call: AnsweredCall) -> str:
        """By what it is known, and after how long."""
        talked = "" if call.talked_seconds is None else f" ({call.talked_seconds} s)"
        return f"{call.get_drop_display()}{talked}"

    @admin.display(description=gettext_lazy("o que se fez"), ordering="after")
    def what_followed(self, call: AnsweredCall) -> SafeString | str:
        """What was done about it."""
        return badge(call.get_after_display(), tone=_TONES.get(AfterDrop(call.after), "")) if call.after else "—"

    @admin.display(description=gettext_lazy("pedido de retorno"))
    def callback(self, call: AnsweredCall) -> SafeString | str:
        """The request that calls back."""
        if call.callback_request_id is None:
            return "—"
        url = reverse("admin:requests_app_callrequest_change", args=[call.callback_request_id])
        return format_html('<a href="{}">#{}</a>', url, call.callback_request_id)

    @admin.display(description=gettext_lazy("atendimento"))
    def conversation(self, call: AnsweredCall) -> SafeString | str:
        """The conversation, by its protocol."""
        if call.atendimento_id is None:
            return "—"
        url = reverse("admin:helpdesk_atendimento_change", args=[call.atendimento_id])
        return format_html('<a href="{}">{}</a>', url, call.protocol)
