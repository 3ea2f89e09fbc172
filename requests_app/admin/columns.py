"""How the list and the page of call requests show what a request says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from callcenter.lib.display import absolute, instant
from requests_app.admin.live import outcome_badge, situation_tone, status_badge

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from requests_app.models import CallRequest


class CallRequestColumns:
    """The columns and the read-only fields; `due` and `situation_text` need what the change list adds to its rows."""

    @admin.display(description=gettext_lazy("cliente"), ordering="name")
    def person(self, row: CallRequest) -> SafeString:
        """Name and number of the request."""
        name = row.name or row.email or _("Sem nome")
        return format_html('<span class="person">{}</span> <span class="quiet">#{}</span>', name, row.pk)

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, row: CallRequest) -> SafeString:
        """The status in its colour."""
        return status_badge(row)

    @admin.display(description=gettext_lazy("telefone"), ordering="phone_e164", empty_value="—")
    def number(self, row: CallRequest) -> str:
        """The number as Brazilians write it."""
        return row.phone_display

    @admin.display(description=gettext_lazy("próxima ligação"), ordering="due_at")
    def due(self, row: Any) -> SafeString | str:
        """When it will be dialed, or is since when due."""
        return instant(row.due_at, now=row.listed_at)

    @admin.display(description=gettext_lazy("último resultado"), ordering="last_outcome")
    def outcome(self, row: CallRequest) -> SafeString | str:
        """What became of the last call."""
        return outcome_badge(row.last_outcome)

    @admin.display(description=pgettext_lazy("pedido", "situação"), ordering="hold_reason")
    def situation_text(self, row: Any) -> SafeString:
        """Why it is not being dialed at this moment."""
        return format_html(
            '<span class="situation situation--{}">{}</span>', situation_tone(row) or "plain", row.situation
        )

    @admin.display(description=gettext_lazy("pedido em"))
    def requested(self, row: CallRequest) -> str:
        """When the customer asked."""
        return absolute(row.requested_at)

    @admin.display(description=gettext_lazy("concluído em"))
    def completed(self, row: CallRequest) -> str:
        """When it was completed."""
        return absolute(row.completed_at) if row.completed_at else "—"

    @admin.display(description=gettext_lazy("origem"))
    def source_text(self, row: CallRequest) -> str:
        """The door through which the request came."""
        return str(row.get_source_display())

    @admin.display(description=gettext_lazy("carrinho"))
    def cart(self, row: CallRequest) -> SafeString | str:
        """The cart as the shop sent it."""
        if not row.cart_products:
            return "—"
        return format_html('<pre class="raw">{}</pre>', json.dumps(row.cart_products, indent=2, ensure_ascii=False))
