"""The admin of companies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from callcenter.accounts.models import Company
from callcenter.lib.admin import CompanyScopedAdmin

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


@admin.register(Company)
class CompanyAdmin(CompanyScopedAdmin):
    """Companies are switched off, not deleted: everything hangs on them."""

    company_path = "pk"
    list_display = ("name", "activity", "time_zone", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("name", "time_zone", "activity", "duplicate_window_minutes", "is_active")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form field; the time zone says what it decides."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "time_zone":
            field.help_text = "America/Sao_Paulo, America/Manaus, America/Rio_Branco, America/Noronha…"
        return field
