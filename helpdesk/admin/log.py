"""The admin of the occurrence log, which is also the queue of work; read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin
from callcenter.lib.display import badge, instant
from helpdesk.channels.base import reason_text
from helpdesk.models import Occurrence
from helpdesk.states import ClosedWith, OccurrenceStatus, TransferReason

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

_TONES = {OccurrenceStatus.PENDING: "warn", OccurrenceStatus.DONE: "good", OccurrenceStatus.ERROR: "bad"}


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    """What happened, and what is to be done."""

    list_display = ("when", "company", "category", "status_badge", "entry", "conversation", "actor_name")
    list_display_links = ("when",)
    list_filter = ("company", "category", "status", "created_at")
    list_select_related = ("company", "actor", "atendimento")
    search_fields = ("=target_title", "message")
    search_help_text = gettext_lazy("Protocolo com todos os algarismos, ou palavras do registro")
    ordering = ("-id",)
    fields = (
        "company", "conversation", "category", "status_badge", "message", "details", "actor_name", "created_at",
        "due_at", "attempts", "updated_at",
    )  # fmt: skip
    readonly_fields = ("conversation", "status_badge", "details", "actor_name")

    @admin.display(description=gettext_lazy("quando"), ordering="id")
    def when(self, occurrence: Occurrence) -> SafeString | str:
        """When it was written down."""
        return instant(occurrence.created_at, now=timezone.now())

    @admin.display(description=gettext_lazy("situação"), ordering="status")
    def status_badge(self, occurrence: Occurrence) -> SafeString:
        """How far it is as work."""
        tone = _TONES.get(OccurrenceStatus(occurrence.status), "")
        return badge(str(occurrence.get_status_display()), tone=tone)

    @admin.display(description=gettext_lazy("registro"), ordering="message")
    def entry(self, occurrence: Occurrence) -> str:
        """What it says beyond its category."""
        return "—" if occurrence.message == occurrence.get_category_display() else occurrence.message

    @admin.display(description=gettext_lazy("atendimento"), ordering="target_title")
    def conversation(self, occurrence: Occurrence) -> SafeString | str:
        """The conversation that it is about; its protocol alone once it was deleted."""
        found = occurrence.atendimento
        if found is None or found.deleted_at is not None:
            return occurrence.target_title or "—"
        address = reverse("admin:helpdesk_atendimento_change", args=[found.pk])
        return format_html('<a href="{}">{}</a>', address, occurrence.target_title or found.protocol)

    @admin.display(description=gettext_lazy("quem"), ordering="actor__name")
    def actor_name(self, occurrence: Occurrence) -> str:
        """Who did it; the system where nobody did."""
        return occurrence.actor.name if occurrence.actor is not None else _("Sistema")

    @admin.display(description=gettext_lazy("detalhe"))
    def details(self, occurrence: Occurrence) -> SafeString | str:
        """What else is known, in words."""
        pairs = detail_pairs(occurrence.detail)
        return format_html_join("", "<div>{}: {}</div>", pairs) or "—"


def detail_pairs(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Label and text of what a person can use of an entry's detail; codes of ours are left out."""
    pairs = []
    if reason := _label(TransferReason, detail.get("reason")):
        pairs.append((_("Motivo"), reason))
    if closed_with := _label(ClosedWith, detail.get("closed_with")):
        pairs.append((_("Encerrado por"), closed_with))
    if detail.get("error"):
        pairs.append((_("Erro"), reason_text(str(detail["error"]))))
    for name, label in (("tries", _("Tentativas")), ("cancelled", _("Mensagens canceladas"))):
        if detail.get(name):
            pairs.append((label, str(detail[name])))
    if detail.get("reopened"):
        pairs.append((_("Reaberto"), _("sim")))
    return pairs


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else ""
