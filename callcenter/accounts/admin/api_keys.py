"""The admin of API keys: shown once when made, revoked, never shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from callcenter.accounts.admin.users import manageable_users
from callcenter.accounts.models import ApiKey
from callcenter.accounts.services import issue_api_key, revoke_api_key
from callcenter.lib.admin import CompanyScopedAdmin
from callcenter.lib.display import badge
from callcenter.lib.errors import Conflict

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


@admin.register(ApiKey)
class ApiKeyAdmin(CompanyScopedAdmin):
    """API keys of the people whom the user may manage. A key acts as its owner."""

    list_display = ("name", "user", "prefix", "state", "created_at", "last_used_at", "expires_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__email")
    ordering = ("-created_at",)
    fields = ("user", "name")
    readonly_fields = ("prefix", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("revoke_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """The keys of the people whom the user may manage."""
        rows: QuerySet[ApiKey] = super(CompanyScopedAdmin, self).get_queryset(request)
        return rows.filter(user__in=manageable_users(request))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Owner and description; what became of the key, once it exists."""
        return ("user", "name") if obj is None else ("user", "name", *self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes a key; it is revoked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: a revoked key stays, so that its last use can be looked up."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the user may revoke keys."""
        return bool(request.user.has_perm("accounts.change_apikey"))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The owners on offer: those whom the user may manage."""
        if db_field.name == "user":
            kwargs["queryset"] = manageable_users(request).filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Issue the key; its text is kept only until this very answer is written."""
        issued = issue_api_key(obj.user, name=obj.name)
        obj.pk, obj.prefix = issued.key.pk, issued.key.prefix
        request.issued_secret = issued.secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the key, once and uncached."""
        secret = request.issued_secret  # type: ignore[attr-defined]
        template = "admin/accounts/apikey/issued.html"
        return self.secret_page(request, template, title=_("Chave criada"), key=obj, secret=secret)

    @admin.display(description=_("situação"), ordering="revoked_at")
    def state(self, key: ApiKey) -> SafeString:
        """Whether the key still opens anything."""
        if key.revoked_at is not None:
            return badge(str(_("Revogada")), tone="bad")
        if key.expires_at is not None and key.expires_at <= timezone.now():
            return badge(str(_("Expirada")), tone="bad")
        if not key.user.is_active:
            return badge(str(_("Dono inativo")), tone="warn")
        return badge(str(_("Válida")), tone="good")

    @admin.action(description=_("Revogar"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Refuse these keys from now on."""

        def revoke(key: ApiKey) -> str:
            if not revoke_api_key(key):
                raise Conflict(str(_("a chave já estava revogada.")))
            return str(_("Revogada."))

        self.run_for_each(request, queryset, do=revoke)
