"""The admin of webhook deliveries: the log of what companies' programs were told, and *send again*."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin
from callcenter.lib.display import badge, instant
from requests_app.models import WebhookDelivery
from requests_app.services.outgoing import resend_delivery

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_TONES: Final = {
    WebhookDelivery.State.PENDING: "progress",
    WebhookDelivery.State.DELIVERED: "good",
    WebhookDelivery.State.FAILED: "bad",
}


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """Webhook deliveries."""

    company_path = "endpoint__company"
    list_display = ("created", "event", "request_link", "endpoint", "company", "state_badge", "tries", "result", "next")
    list_display_links = ("created",)
    list_filter = ("state", "event", "endpoint", "last_error", "created_at")
    search_fields = ("=message_id",)
    search_help_text = gettext_lazy("webhook-id, ou número do pedido")
    ordering = ("-created_at", "-id")
    actions = ("resend_selected",)
    fields = (
        ("event", "state_badge"),
        ("endpoint", "company"),
        "request_link",
        "message_id",
        ("tries", "next"),
        ("result", "last_try_at", "last_duration_ms"),
        ("created_at", "delivered_at"),
        "content",
    )
    readonly_fields = ("state_badge", "company", "request_link", "next", "result", "content")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The deliveries with their endpoint, whose secrets stay where they are."""
        secrets = ("endpoint__secret", "endpoint__previous_secret")
        return super().get_queryset(request).select_related("endpoint__company", "ledger_entry").defer(*secrets)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The deliveries about the request of that number, else the one with that id."""
        number = search_term.strip().removeprefix("#")
        if number.isdecimal() and len(number) < 19:
            return queryset.filter(ledger_entry__call_request_id=int(number)), False
        return super().get_search_results(request, queryset, search_term)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether the user may have deliveries sent again."""
        return bool(request.user.has_perm("requests_app.resend_webhookdelivery"))

    @admin.action(description=gettext_lazy("Enviar de novo"), permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the selected deliveries sent at once, under their own webhook-id."""

        def resend(delivery: WebhookDelivery) -> str:
            resend_delivery(delivery.pk, now=timezone.now())
            return _("Enviada de novo.")

        self.run_for_each(request, queryset, do=resend)

    @admin.display(description=gettext_lazy("quando"), ordering="created_at")
    def created(self, delivery: WebhookDelivery) -> SafeString | str:
        """When the event happened."""
        return instant(delivery.created_at, now=timezone.now())

    @admin.display(description=gettext_lazy("empresa"), ordering="endpoint__company")
    def company(self, delivery: WebhookDelivery) -> str:
        """Whose endpoint it is."""
        return str(delivery.endpoint.company)

    @admin.display(description=gettext_lazy("pedido"))
    def request_link(self, delivery: WebhookDelivery) -> SafeString | str:
        """The request that it tells of; a deleted one's page says that it is gone."""
        if delivery.ledger_entry is None:
            return "—"
        request_id = delivery.ledger_entry.call_request_id
        url = reverse("admin:requests_app_callrequest_change", args=[request_id])
        return format_html('<a href="{}">#{}</a>', url, request_id)

    @admin.display(description=gettext_lazy("estado"), ordering="state")
    def state_badge(self, delivery: WebhookDelivery) -> SafeString:
        """The state in its colour; what waits for an endpoint that is off says so."""
        state = WebhookDelivery.State(delivery.state)
        if state == WebhookDelivery.State.PENDING and not delivery.endpoint.is_enabled:
            return badge(_("Parada: destino desligado"), tone="warn")
        return badge(str(state.label), tone=_TONES[state])

    @admin.display(description=gettext_lazy("último resultado"), ordering="last_status")
    def result(self, delivery: WebhookDelivery) -> str:
        """What the receiver answered to the last try, or why it did not."""
        status = f"HTTP {delivery.last_status}" if delivery.last_status else ""
        return " · ".join(filter(None, (status, str(delivery.get_last_error_display())))) or "—"

    @admin.display(description=gettext_lazy("próxima tentativa"), ordering="next_try_at")
    def next(self, delivery: WebhookDelivery) -> SafeString | str:
        """When it is tried next."""
        return instant(delivery.next_try_at, now=timezone.now())

    @admin.display(description=gettext_lazy("conteúdo"))
    def content(self, delivery: WebhookDelivery) -> SafeString:
        """What is sent, laid out for people."""
        return format_html("<pre>{}</pre>", json.dumps(json.loads(delivery.payload), ensure_ascii=False, indent=2))
