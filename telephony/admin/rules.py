"""The admin of the rules and vocabularies: when to try again, and what the carrier's words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from callcenter.lib.admin import CompanyScopedAdmin, TitledAdmin, company_scope
from callcenter.lib.display import span
from telephony.models import FieldAlias, RetryRule, StatusAlias

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(RetryRule)
class RetryRuleAdmin(CompanyScopedAdmin):
    """Retry rules; those for all companies are read by everybody and changed by who sees all companies."""

    list_display = ("outcome", "company_or_all", "max_tries", "wait")
    list_filter = ("outcome", "company")
    list_select_related = ("company",)
    ordering = ("outcome", "company__name")
    fields = ("company", "outcome", "max_tries", "wait_seconds")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rules of the user's companies, and those for all."""
        rows: QuerySet[Any] = super(CompanyScopedAdmin, self).get_queryset(request)
        scope = company_scope(request)
        return rows if scope is None else rows.filter(Q(company__in=scope) | Q(company=None))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may change rules, and this one in particular."""
        return super().has_change_permission(request, obj) and _is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may delete rules, and this one in particular."""
        return super().has_delete_permission(request, obj) and _is_own(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deletion of many at once for who may not delete every rule in the list."""
        actions: dict[str, Any] = super().get_actions(request)
        if company_scope(request) is not None:
            actions.pop("delete_selected", None)
        return actions

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The company; who is bound to companies can't make a rule for all."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "company" and field is not None:
            field.required = company_scope(request) is not None
            field.help_text = "" if field.required else _("Em branco: vale para todas que não têm regra própria.")
        return field

    @admin.display(description=_("empresa"), ordering="company__name")
    def company_or_all(self, rule: RetryRule) -> str:
        """Whose rule it is."""
        return str(rule.company or _("Todas"))

    @admin.display(description=_("espera"), ordering="wait_seconds")
    def wait(self, rule: RetryRule) -> str:
        """How long to wait, as people say it."""
        return span(rule.wait_seconds)


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


def _is_own(request: HttpRequest, rule: RetryRule | None) -> bool:
    return rule is None or rule.company_id is not None or company_scope(request) is None
