"""The admin of the API's tokens: shown once when made, revoked, never shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.accounts.models import Company, User
from callcenter.lib.admin import CompanyScopedAdmin, company_scope, visible_rows
from callcenter.lib.display import badge
from callcenter.lib.errors import Conflict
from helpdesk.models import ApiToken
from helpdesk.services.tokens import issue_token, revoke_token

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


@admin.register(ApiToken)
class ApiTokenAdmin(CompanyScopedAdmin):
    """Tokens that are good for no company but the user's."""

    list_display = ("name", "user", "prefix", "company_names", "state", "last_used_at", "expires_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__email")
    ordering = ("-created_at",)
    readonly_fields = ("prefix", "state", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that are good only for companies of the user's."""
        rows: QuerySet[Any] = super(CompanyScopedAdmin, self).get_queryset(request).prefetch_related("companies")
        scope = company_scope(request)
        if scope is None:
            return rows
        foreign = ApiToken.companies.through.objects.exclude(company_id__in=scope).values("apitoken_id")
        return rows.filter(companies__in=scope).exclude(pk__in=foreign).distinct()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """For whom and for which companies; what became of it, once it exists."""
        fields = ("user", "name", "companies", "expires_at")
        return fields if obj is None else (*fields, *self.readonly_fields)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The users on offer: those whom the user sees, and who are active."""
        if db_field.name == "user":
            rows = visible_rows(self.admin_site, User, request)
            kwargs["queryset"] = None if rows is None else rows.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The companies on offer: the user's."""
        if db_field.name == "companies":
            kwargs["queryset"] = visible_rows(self.admin_site, Company, request)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes a token; it is revoked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: a revoked token stays, so that its last use can be looked up."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the user may revoke tokens."""
        return bool(request.user.has_perm("helpdesk.change_apitoken"))

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """Issue the token; its text is kept only until this very answer is written."""
        issued = issue_token(
            obj.user, form.cleaned_data["companies"], name=obj.name, expires_at=form.cleaned_data["expires_at"]
        )
        obj.pk, obj.prefix = issued.token.pk, issued.token.prefix
        request.issued_secret = issued.secret  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: the service wrote the companies."""

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the token, once and uncached."""
        secret = request.issued_secret  # type: ignore[attr-defined]
        template = "admin/helpdesk/apitoken/issued.html"
        return self.secret_page(request, template, title=_("Token criado"), token=obj, secret=secret)

    @admin.display(description=gettext_lazy("empresas"))
    def company_names(self, token: ApiToken) -> str:
        """For which companies it is good."""
        return ", ".join(company.name for company in token.companies.all())

    @admin.display(description=gettext_lazy("situação"), ordering="revoked_at")
    def state(self, token: ApiToken) -> SafeString:
        """Whether it still opens anything."""
        if token.revoked_at is not None:
            return badge(_("Revogado"), tone="bad")
        if token.expires_at is not None and token.expires_at <= timezone.now():
            return badge(_("Expirado"), tone="bad")
        if not token.user.is_active:
            return badge(_("Dono inativo"), tone="warn")
        return badge(_("Válido"), tone="good")

    @admin.action(description=gettext_lazy("Revogar"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Refuse these tokens from now on."""

        def revoke(token: ApiToken) -> str:
            if not revoke_token(token, now=timezone.now()):
                raise Conflict(_("o token já estava revogado."))
            return _("Revogado.")

        self.run_for_each(request, queryset, do=revoke)
