"""The admin of the vocabularies: what the carrier's words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from callcenter.lib.admin import TitledAdmin, company_scope
from telephony.models import FieldAlias, StatusAlias

if TYPE_CHECKING:
    from django.http import HttpRequest


class VocabularyAdmin(TitledAdmin):
    """Words that hold for every company: changed only by who sees all companies."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may add words."""
        return super().has_add_permission(request) and company_scope(request) is None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may change words."""
        return super().has_change_permission(request, obj) and company_scope(request) is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may delete words."""
        return super().has_delete_permission(request, obj) and company_scope(request) is None


@admin.register(FieldAlias)
class FieldAliasAdmin(VocabularyAdmin):
    """The names under which the carrier sends each piece of data."""

    list_display = ("name", "concept")
    list_filter = ("concept",)
    search_fields = ("name",)


@admin.register(StatusAlias)
class StatusAliasAdmin(VocabularyAdmin):
    """What the carrier's words for a call's status mean."""

    list_display = ("word", "meaning")
    list_filter = ("meaning",)
    search_fields = ("word",)
