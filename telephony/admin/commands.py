"""Commands about a call under way, on its page; and the DAC devices of the attendants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, ReadOnlyInline, company_scope
from callcenter.lib.display import absolute, badge, instant
from callcenter.lib.errors import Conflict, DomainError
from callcenter.lib.secret_forms import ACCESS_OVERRIDES, SecretsForm
from telephony.models import CallAttempt, CallCommand, DacDevice, DialerLine
from telephony.providers.base import ProviderError
from telephony.services.commands import command_call, offered_commands, outcome_of
from telephony.services.dac import log_device
from telephony.states import CommandKind, CommandOutcome

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

_LEVELS = {CommandOutcome.DONE: messages.SUCCESS, CommandOutcome.UNKNOWN: messages.WARNING}


class CommandInline(ReadOnlyInline):
    """What people had the PABX do with the call."""

    model = CallCommand
    fields = ("when", "kind", "argument", "actor", "outcome", "error_status")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Comandos ao PABX")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The commands, with who gave them."""
        return super().get_queryset(request).select_related("actor")

    @admin.display(description=gettext_lazy("quando"))
    def when(self, command: CallCommand) -> str:
        """To the second."""
        return f"{absolute(command.at)}:{timezone.localtime(command.at):%S}"


class CommandButtons:
    """The part of an attempt's admin that commands the PABX; mixed into it."""

    def may_command(self, request: HttpRequest) -> bool:
        """Whether the user may command calls."""
        return bool(request.user.has_perm("telephony.add_callcommand"))

    def command_context(self, request: HttpRequest, attempt: CallAttempt | None) -> dict[str, Any]:
        """What the page offers about this call."""
        offered = offered_commands(attempt) if attempt is not None and self.may_command(request) else []
        return {"commands": {kind.value: kind.label for kind in offered}, "priorities": range(20)}

    def command_view(self: Any, request: HttpRequest, attempt_id: int) -> HttpResponse:
        """Give one command, tell what became of it, and go back to the call's page."""
        attempt = self.get_object(request, str(attempt_id))
        if attempt is None:
            raise Http404
        if not self.may_command(request):
            raise PermissionDenied
        kind, priority = request.POST.get("kind", ""), request.POST.get("priority", "")
        try:
            if kind not in CommandKind.values:
                raise Conflict(_("Comando desconhecido."))
            command = command_call(
                attempt_id,
                CommandKind(kind),
                argument=request.POST.get("argument", ""),
                priority=int(priority) if priority.isascii() and priority.isdigit() else 0,
                actor=request.user,  # type: ignore[arg-type]  # behind admin_view, never anonymous
                scope=company_scope(request),
                now=timezone.now(),
            )
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, attempt, str(command))
            level = _LEVELS.get(CommandOutcome(command.outcome), messages.ERROR)
            self.message_user(request, str(command), level)
        return HttpResponseRedirect(reverse("admin:telephony_callattempt_change", args=[attempt_id]))


class DacDeviceForm(SecretsForm):
    """One device; its secrets go to its line's PABX."""

    sent_secrets: ClassVar[tuple[str, ...]] = ()


@admin.register(DacDevice)
class DacDeviceAdmin(CompanyScopedAdmin):
    """DAC devices: attendants see their own and log them in and out, supervisors keep them all."""

    company_path = "line__company"
    form = DacDeviceForm
    formfield_overrides = ACCESS_OVERRIDES
    empty_text = gettext_lazy(
        "Nenhum ramal ainda: com um, o atendente entra no DAC quando fica disponível e sai quando deixa de estar."
    )
    list_display = ("device", "user", "line", "dac_now", "since", "follows_presence")
    list_filter = ("is_logged_in", "follows_presence")
    list_select_related = ("line", "user")
    search_fields = ("device", "user__first_name", "user__last_name", "=user__email")
    ordering = ("line__name", "device")
    actions = ("log_in_selected", "log_out_selected")
    fixed_fields = ("line",)
    readonly_fields = ("dac_now", "since")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is, and how the PABX knows it; how it is doing, once it is there."""
        if not self.has_change_permission(request, obj):
            return ((None, {"fields": ("dac_now", "since", "line", "device", "follows_presence")}),)
        state = () if obj is None else (("dac_now", "since"),)
        access = (("device", "device_password"), ("account", "account_password"))
        return ((None, {"fields": (*state, "line", "user", "follows_presence", *access)}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The devices; an attendant's own. Secrets are decrypted only where they are written."""
        secrets = ("device_password", "account_password", *(f"line__{name}" for name in DialerLine.SECRET_FIELDS))
        rows = super().get_queryset(request).select_related("line", "user").defer(*secrets)
        return rows if self.has_change_permission(request) else rows.filter(user=request.user)

    def has_log_permission(self, request: HttpRequest) -> bool:
        """Whether the user may log devices in and out."""
        return bool(request.user.has_perm("telephony.log_dacdevice"))

    @admin.action(description=gettext_lazy("Entrar no DAC"), permissions=["log"])
    def log_in_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Log the selected devices in."""
        self.run_for_each(request, queryset, do=lambda device: _log(device, log_in=True))

    @admin.action(description=gettext_lazy("Sair do DAC"), permissions=["log"])
    def log_out_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Log the selected devices out."""
        self.run_for_each(request, queryset, do=lambda device: _log(device, log_in=False))

    @admin.display(description=gettext_lazy("no DAC"), ordering="is_logged_in")
    def dac_now(self, device: DacDevice) -> SafeString:
        """Whether it is logged in, and what went wrong last."""
        if device.is_logged_in:
            return badge(_("No DAC"), tone="good")
        if device.error_code:
            is_known = device.is_logged_in is not None or device.changed_at is None
            return badge(_("Falhou") if is_known else _("Não se sabe"), tone="warn")
        return badge(_("Fora do DAC"))

    @admin.display(description=gettext_lazy("desde"), ordering="changed_at")
    def since(self, device: DacDevice) -> SafeString | str:
        """Since when."""
        return instant(device.changed_at, now=timezone.now())


def _log(device: DacDevice, *, log_in: bool) -> str:
    if device.follows_presence:
        raise Conflict(_("segue a presença: mude a presença, ou desmarque isso no ramal."))
    try:
        log_device(device.pk, log_in=log_in, now=timezone.now())
    except ProviderError as error:
        raise Conflict(str(outcome_of(error).label)) from error
    return _("Entrou no DAC.") if log_in else _("Saiu do DAC.")
