"""The admin of the occurrence log, which is also the queue of work; read only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin
from callcenter.lib.display import badge
from helpdesk.models import Occurrence
from helpdesk.states import OccurrenceStatus

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

_TONES = {OccurrenceStatus.PENDING: "warn", OccurrenceStatus.DONE: "good", OccurrenceStatus.ERROR: "bad"}


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    """What happened, and what is to be done."""

    list_display = ("id", "company", "created_at", "category", "status_badge", "target_title", "message", "actor")
    list_filter = ("company", "category", "status", "created_at")
    list_select_related = ("company", "actor")
    search_fields = ("target_title", "message")
    ordering = ("-id",)
    fields = (
        "company", "created_at", "updated_at", "category", "status", "table", "target_title", "sequence", "message",
        "detail", "actor", "attempts", "due_at",
    )  # fmt: skip

    @admin.display(description=gettext_lazy("situação"), ordering="status")
    def status_badge(self, occurrence: Occurrence) -> SafeString:
        """How far it is as work."""
        tone = _TONES.get(OccurrenceStatus(occurrence.status), "")
        return badge(str(occurrence.get_status_display()), tone=tone)
