"""The admin of the accounts at the carrier Directcall, and of the callback addresses registered there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, ReadOnlyAdmin, ReadOnlyInline
from callcenter.lib.display import absolute, badge
from callcenter.lib.errors import Conflict
from callcenter.lib.secret_forms import ACCESS_OVERRIDES, SecretsForm
from telephony.models import CallbackRegistration, DirectcallAccount
from telephony.providers.base import ProviderError
from telephony.services.callbacks import (
    callback_url,
    listed_callbacks,
    prepare_callback,
    register_callback,
    remove_callbacks,
    rotate_callback,
    verify_callback,
)
from telephony.services.carrier import client_of, forget_token
from telephony.states import RegistrationState

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model, QuerySet
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
_TONES: Final = {
    RegistrationState.PREPARED: "warn",
    RegistrationState.REGISTERING: "new",
    RegistrationState.REGISTERED: "progress",
    RegistrationState.VERIFIED: "good",
    RegistrationState.REMOVING: "warn",
}
# The secrets of the related rows are not decrypted for a list.
_ACCOUNT_SECRETS: Final = tuple(f"account__{name}" for name in DirectcallAccount.SECRET_FIELDS)


class DirectcallAccountForm(SecretsForm):
    """One account."""

    sent_secrets = ("client_secret",)


class RegistrationInline(ReadOnlyInline):
    """The account's callback addresses; their last part is a secret, so only who may change the account sees it."""

    model = CallbackRegistration
    fields = ("state_badge", "address", "username", "code", "state_since", "verified_at", "trouble")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Endereços em que a operadora nos chama (webhook)")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may change the account, which an administrator may."""
        return bool(request.user.has_perm("telephony.change_directcallaccount"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that are accepted."""
        return super().get_queryset(request).exclude(state=RegistrationState.REMOVED).defer("password")

    @admin.display(description=gettext_lazy("situação"))
    def state_badge(self, registration: CallbackRegistration) -> SafeString:
        """How far it is at the carrier."""
        return _state_badge(registration)

    @admin.display(description=gettext_lazy("endereço do webhook"))
    def address(self, registration: CallbackRegistration) -> SafeString:
        """Where the carrier posts to, without user and password."""
        return format_html("<code>{}</code>", callback_url(registration))

    @admin.display(description=gettext_lazy("problema"))
    def trouble(self, registration: CallbackRegistration) -> str:
        """Why the last step did not end well."""
        return str(registration.get_problem_display() or "—")


@admin.register(DirectcallAccount)
class DirectcallAccountAdmin(CompanyScopedAdmin):
    """Accounts at the carrier."""

    form = DirectcallAccountForm
    formfield_overrides = ACCESS_OVERRIDES
    list_display = ("name", "company", "callback_state", "is_enabled")
    list_filter = ("company", "is_enabled")
    list_select_related = ("company",)
    search_fields = ("name",)
    inlines = (RegistrationInline,)
    actions = ("register_selected", "rotate_selected", "check_selected", "remove_selected", "show_balance")
    page_actions = ("register_selected", "check_selected", "rotate_selected", "remove_selected", "show_balance")
    fixed_fields = ("company",)
    empty_text = gettext_lazy("Nenhuma conta ainda: sem conta na operadora não há notícia do que foi de cada chamada.")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """How we call the carrier, and how it calls us."""
        ours = ("base_url", "client_id", "client_secret", "pin", "origin")
        return (
            (None, {"fields": ("company", "name", "is_enabled")}),
            (gettext_lazy("Nós chamamos a operadora"), {"fields": ours}),
            (gettext_lazy("A operadora nos chama (webhook)"), {"fields": ("uses_basic",)}),
        )

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """The addresses, once there is an account."""
        return self.inlines if obj is not None else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The accounts with their addresses; the secrets are read when a page asks for them. Two queries."""
        return super().get_queryset(request).prefetch_related("registrations")

    def has_callback_permission(self, request: HttpRequest) -> bool:
        """Whether the user may change what is registered at the carrier."""
        return bool(request.user.has_perm("telephony.change_directcallaccount"))

    def save_model(self, request: HttpRequest, obj: DirectcallAccount, form: Any, change: bool) -> None:
        """Store the account; a new one gets a secret webhook address, one with another login a new token."""
        super().save_model(request, obj, form, change)
        if not change:
            prepare_callback(obj, now=timezone.now())
        if change and _LOGIN.intersection(form.changed_data):
            forget_token(obj)

    @admin.action(description=gettext_lazy("Registrar callback na operadora"), permissions=["callback"])
    def register_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the carrier post its news to our address."""

        def register(account: DirectcallAccount) -> str:
            register_callback(account, now=timezone.now())
            return _("Callback registrado.")

        self.run_for_each(request, queryset, do=_in_portuguese(register))

    @admin.action(description=gettext_lazy("Trocar o endereço do callback, sem intervalo"), permissions=["callback"])
    def rotate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the carrier post to a new address, and forget the former one once that works."""

        def rotate(account: DirectcallAccount) -> str:
            rotate_callback(account, now=timezone.now())
            return _("Endereço do callback trocado.")

        self.run_for_each(request, queryset, do=_in_portuguese(rotate))

    @admin.action(description=gettext_lazy("Remover callback da operadora"), permissions=["callback"])
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the carrier stop posting to us."""

        def remove(account: DirectcallAccount) -> str:
            if not remove_callbacks(account, now=timezone.now()):
                raise Conflict(_("não há callback registrado."))
            return _("Callback removido.")

        self.run_for_each(request, queryset, do=_in_portuguese(remove))

    @admin.action(description=gettext_lazy("Conferir callback na operadora"), permissions=["callback"])
    def check_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say what the carrier has registered; the addresses hold secrets and are not shown."""

        def check(account: DirectcallAccount) -> str:
            codes = {callback.code for callback in listed_callbacks(account)}
            ours = (
                account.registrations.exclude(code="").filter(code__in=codes, state=RegistrationState.VERIFIED).first()
            )
            if ours is not None:
                verify_callback(ours, now=timezone.now())
            text = _("%(account)s: %(count)s registrado(s) na operadora; o nosso: %(ours)s.") % {
                "account": account,
                "count": len(codes),
                "ours": _("sim") if ours else _("não"),
            }
            self.message_user(request, text, messages.INFO if ours else messages.WARNING)
            return ""

        self.run_for_each(request, queryset, do=_in_portuguese(check))

    @admin.action(description=gettext_lazy("Consultar o saldo na operadora"), permissions=["callback"])
    def show_balance(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say what is left on each account."""

        def show(account: DirectcallAccount) -> str:
            balance = client_of(account).balance()
            amount = "—" if balance.amount is None else f"{balance.currency} {balance.amount}"
            text = _("%(account)s: saldo %(amount)s.") % {"account": account, "amount": amount}
            self.message_user(request, text, messages.INFO)
            return ""

        self.run_for_each(request, queryset, do=_in_portuguese(show))

    @admin.display(description=gettext_lazy("callback"))
    def callback_state(self, account: DirectcallAccount) -> SafeString:
        """Whether the carrier knows our address, and since when."""
        found = {registration.state: registration for registration in account.registrations.all()}
        verified = found.get(RegistrationState.VERIFIED)
        if verified is None:
            registered = found.get(RegistrationState.REGISTERED)
            return _state_badge(registered) if registered else badge(_("Não registrado"), tone="warn")
        since = absolute(verified.state_since)
        tone = "warn" if verified.problem else "good"
        return badge(_("Registrado %(since)s") % {"since": since}, tone=tone)


@admin.register(CallbackRegistration)
class CallbackRegistrationAdmin(ReadOnlyAdmin):
    """Callback addresses at the carrier, past ones included; the secret part is shown on the account's page only."""

    company_path = "account__company"
    empty_text = gettext_lazy("Nenhum endereço ainda: registre o callback na página da conta Directcall.")
    list_display = ("account", "state_badge", "code", "uses_basic", "state_since", "verified_at", "trouble")
    list_filter = ("state", "account", "problem")
    ordering = ("-created_at", "-id")
    fields = (
        ("account", "state_badge"),
        "code",
        "uses_basic",
        ("created_at", "state_since", "verified_at"),
        "trouble",
    )
    readonly_fields = ("state_badge", "uses_basic", "trouble")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The registrations; no secret is read."""
        rows = super().get_queryset(request).select_related("account__company")
        return rows.defer("secret", "password", *_ACCOUNT_SECRETS)

    @admin.display(description=gettext_lazy("situação"), ordering="state")
    def state_badge(self, registration: CallbackRegistration) -> SafeString:
        """How far it is at the carrier."""
        return _state_badge(registration)

    @admin.display(description=gettext_lazy("usuário e senha"), boolean=True)
    def uses_basic(self, registration: CallbackRegistration) -> bool:
        """Whether HTTP Basic is asked for."""
        return bool(registration.username)

    @admin.display(description=gettext_lazy("problema"), ordering="problem")
    def trouble(self, registration: CallbackRegistration) -> str:
        """Why the last step did not end well."""
        return str(registration.get_problem_display() or "—")


def _state_badge(registration: CallbackRegistration) -> SafeString:
    state = RegistrationState(registration.state)
    tone = "warn" if registration.problem and state != RegistrationState.REMOVED else _TONES.get(state, "")
    return badge(str(state.label), tone=tone)


def _in_portuguese(do: Callable[[DirectcallAccount], str]) -> Callable[[DirectcallAccount], str]:
    """`do`, whose provider errors say in the reader's language what went wrong."""

    def told(account: DirectcallAccount) -> str:
        try:
            return do(account)
        except ProviderError as error:
            raise Conflict(str(_PROBLEMS.get(error.code, error.message))) from error

    return told
