"""The admin of the accounts at the carrier Directcall, and of the callback registered there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin
from callcenter.lib.display import absolute, badge
from callcenter.lib.errors import Conflict
from callcenter.lib.secret_forms import ACCESS_OVERRIDES, SecretsForm
from telephony.models import DirectcallAccount
from telephony.providers.base import ProviderError
from telephony.services.carrier import (
    forget_token,
    list_callbacks,
    prepare_account,
    register_callback,
    remove_callback,
    webhook_url,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_PROBLEMS: Final = {
    "not_sent": gettext_lazy("sem conexão com a operadora; nada foi enviado."),
    "unavailable": gettext_lazy("a operadora não pode atender agora; tente mais tarde."),
    "refused": gettext_lazy("a operadora recusou o pedido."),
    "unauthorized": gettext_lazy("a operadora recusou as credenciais."),
    "misconfigured": gettext_lazy("o endereço da operadora está errado."),
    "ambiguous": gettext_lazy("a operadora não respondeu como devia; confira antes de repetir."),
}
# What the carrier's token was given for.
_LOGIN: Final = frozenset({"base_url", "client_id", "client_secret"})


class DirectcallAccountForm(SecretsForm):
    """One account; the webhook's password is for the other direction."""

    sent_secrets = ("client_secret",)


@admin.register(DirectcallAccount)
class DirectcallAccountAdmin(CompanyScopedAdmin):
    """Accounts at the carrier."""

    form = DirectcallAccountForm
    formfield_overrides = ACCESS_OVERRIDES
    list_display = ("name", "company", "callback_state", "is_enabled")
    list_filter = ("company", "is_enabled")
    list_select_related = ("company",)
    search_fields = ("name",)
    actions = ("register_selected", "remove_selected", "check_selected")
    fixed_fields = ("company",)
    readonly_fields = ("webhook_address", "callback_state")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """How we call the carrier, and how it calls us."""
        back = ("webhook_username", "webhook_password")
        return (
            (None, {"fields": ("company", "name", "is_enabled")}),
            (gettext_lazy("Nós chamamos a operadora"), {"fields": ("base_url", "client_id", "client_secret", "pin")}),
            (
                gettext_lazy("A operadora nos chama (webhook)"),
                {"fields": back if obj is None else ("webhook_address", "callback_state", *back)},
            ),
        )

    def has_callback_permission(self, request: HttpRequest) -> bool:
        """Whether the user may change what is registered at the carrier."""
        return bool(request.user.has_perm("telephony.change_directcallaccount"))

    def save_model(self, request: HttpRequest, obj: DirectcallAccount, form: Any, change: bool) -> None:
        """Store the account; a new one gets its secret webhook address first, one with another login a new token."""
        prepare_account(obj)
        super().save_model(request, obj, form, change)
        if change and _LOGIN.intersection(form.changed_data):
            forget_token(obj)

    @admin.action(description=gettext_lazy("Registrar callback na operadora"), permissions=["callback"])
    def register_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the carrier post its news to our address."""

        def register(account: DirectcallAccount) -> str:
            register_callback(account)
            return _("Callback registrado.")

        self.run_for_each(request, queryset, do=_in_portuguese(register))

    @admin.action(description=gettext_lazy("Remover callback da operadora"), permissions=["callback"])
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the carrier stop posting to our address."""

        def remove(account: DirectcallAccount) -> str:
            if not account.callback_code:
                raise Conflict(_("não há callback registrado."))
            remove_callback(account)
            return _("Callback removido.")

        self.run_for_each(request, queryset, do=_in_portuguese(remove))

    @admin.action(description=gettext_lazy("Conferir callback na operadora"), permissions=["callback"])
    def check_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say what the carrier has registered; the addresses hold secrets and are not shown."""

        def check(account: DirectcallAccount) -> str:
            found = list_callbacks(account)
            ours = any(callback.code == account.callback_code for callback in found if account.callback_code)
            text = _("%(account)s: %(count)s registrado(s) na operadora; o nosso: %(ours)s.") % {
                "account": account,
                "count": len(found),
                "ours": _("sim") if ours else _("não"),
            }
            self.message_user(request, text, messages.INFO if ours else messages.WARNING)
            return ""

        self.run_for_each(request, queryset, do=_in_portuguese(check))

    @admin.display(description=gettext_lazy("endereço do webhook"))
    def webhook_address(self, account: DirectcallAccount) -> SafeString:
        """Where the carrier posts to; its last part is a secret, so only who may change the account sees the page."""
        return format_html("<code>{}</code>", webhook_url(account))

    @admin.display(description=gettext_lazy("callback"), ordering="callback_registered_at")
    def callback_state(self, account: DirectcallAccount) -> SafeString:
        """Whether the carrier knows our address, and since when."""
        if not account.callback_code:
            return badge(_("Não registrado"), tone="warn")
        since = absolute(account.callback_registered_at) if account.callback_registered_at else ""
        return badge(_("Registrado %(since)s") % {"since": since}, tone="good")


def _in_portuguese(do: Callable[[DirectcallAccount], str]) -> Callable[[DirectcallAccount], str]:
    """`do`, whose provider errors say in the reader's language what went wrong."""

    def told(account: DirectcallAccount) -> str:
        try:
            return do(account)
        except ProviderError as error:
            raise Conflict(str(_PROBLEMS.get(error.code, error.message))) from error

    return told
