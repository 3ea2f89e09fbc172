"""The admin of call attempts: read-only, but for a person's word on a call that nobody knows about."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from callcenter.lib.admin import ReadOnlyAdmin, ReadOnlyInline, company_scope
from callcenter.lib.dashboard import Figure, Panel
from callcenter.lib.display import absolute, badge, clock
from callcenter.lib.errors import Conflict, DomainError
from telephony.admin.commands import CommandButtons, CommandInline
from telephony.models import AttemptEntry, CallAttempt, DoNotCallEntry, ProviderEvent
from telephony.services.dialing import settle_doubt
from telephony.services.do_not_call import stop_calling
from telephony.services.permission_text import told
from telephony.services.recordings import play_recording
from telephony.states import AttemptState

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

STATE_TONES: Final = {
    AttemptState.CLAIMED: "new",
    AttemptState.SENDING: "new",
    AttemptState.IN_DOUBT: "warn",
    AttemptState.PLACED: "progress",
    AttemptState.RINGING: "progress",
    AttemptState.ANSWERED: "good",
    AttemptState.REFUSED: "bad",
}


def state_badge(state: str) -> SafeString:
    """An attempt's state in its colour."""
    return badge(str(AttemptState(state).label), tone=STATE_TONES.get(AttemptState(state), ""))


class EntryInline(ReadOnlyInline):
    """The attempt's moves."""

    model = AttemptEntry
    fields = ("when", "move", "reason_display", "actor")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Movimentos")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the attempt sees its moves."""
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The moves, with who made them."""
        return super().get_queryset(request).select_related("actor")

    @admin.display(description=gettext_lazy("quando"))
    def when(self, entry: AttemptEntry) -> str:
        """To the second: calls move fast."""
        return f"{absolute(entry.at)}:{timezone.localtime(entry.at):%S}"

    @admin.display(description=gettext_lazy("para"))
    def move(self, entry: AttemptEntry) -> SafeString:
        """The state that it moved to."""
        return state_badge(entry.to_state)

    @admin.display(description=gettext_lazy("motivo"))
    def reason_display(self, entry: AttemptEntry) -> str:
        """Why it moved."""
        return entry.reason_display or "—"


class EventInline(ReadOnlyInline):
    """The carrier's news about the attempt."""

    model = ProviderEvent
    fields = ("received_at", "source", "word", "meaning", "carrier_call_id", "provider_call_id")
    readonly_fields = fields
    show_change_link = True
    verbose_name_plural = gettext_lazy("Notícias da operadora e do PABX")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The news, without their bodies."""
        return super().get_queryset(request).defer("raw").order_by("received_at", "id")


@admin.register(CallAttempt)
class CallAttemptAdmin(CommandButtons, ReadOnlyAdmin):
    """Call attempts."""

    menu_rank = 2
    list_display = (
        "started",
        "request_link",
        "phone",
        "state_badge",
        "result",
        "line",
        "company",
        "talk_time",
    )
    list_display_links = ("started",)
    list_filter = ("state", "outcome", "has_conflict", "line", "company", "claimed_at")
    list_select_related = ("call_request", "line", "company")
    search_fields = ("=provider_call_id", "=carrier_call_id", "call_request__name")
    search_help_text = gettext_lazy("Número, nome do cliente, ID_CHAMADA ou callerid")
    ordering = ("-claimed_at", "-id")
    inlines = (EntryInline, CommandInline, EventInline)
    actions = ("say_called", "say_not_called", "opt_out", "wrong_person")
    change_form_template = "admin/telephony/callattempt/change_form.html"
    fields = (
        ("state_badge", "result"),
        "request_link",
        ("phone", "number"),
        ("line", "company"),
        ("claimed_at", "sending_at"),
        ("placed_at", "answered_at", "ended_at"),
        "talk_time",
        ("provider_call_id", "carrier_call_id"),
        ("error_code", "error_status"),
        "rules_said",
    )
    readonly_fields = ("state_badge", "result", "request_link", "phone", "talk_time", "recording", "rules_said")

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, the two buttons of an attempt in doubt, the commands about a call, and its recording."""
        settle = self.admin_site.admin_view(require_POST(self.settle_view))
        command = self.admin_site.admin_view(require_POST(self.command_view))
        listen = self.admin_site.admin_view(require_GET(self.recording_view))
        return [
            path("<int:attempt_id>/recording/", listen, name="telephony_callattempt_recording"),
            path("<int:attempt_id>/settle/", settle, name="telephony_callattempt_settle"),
            path("<int:attempt_id>/command/", command, name="telephony_callattempt_command"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The attempts; the line's secrets are not decrypted for a list."""
        secrets = ("line__api_key", "line__device_password", "line__account_password")
        return super().get_queryset(request).select_related("line", "company", "call_request").defer(*secrets)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The attempts with that id or name, or to a number that holds these digits."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        digits = "".join(c for c in search_term if c.isdigit()).removeprefix("0")
        if len(digits) >= 4 and not any(c.isalpha() for c in search_term):
            found |= queryset.filter(phone_e164__contains=digits)
        return found, duplicates

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whether the user may decide about a call in doubt."""
        return bool(request.user.has_perm("telephony.settle_callattempt"))

    def has_list_permission(self, request: HttpRequest) -> bool:
        """Whether the user may put numbers on the do-not-call list."""
        return bool(request.user.has_perm("telephony.add_donotcallentry"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The attempt's page; one in doubt asks what happened."""
        attempt = self.get_object(request, object_id)
        in_doubt = attempt is not None and attempt.state == AttemptState.IN_DOUBT
        context = {"may_settle": in_doubt and self.has_settle_permission(request), "title": _("Tentativa de chamada")}
        context |= self.command_context(request, attempt)
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def settle_view(self, request: HttpRequest, attempt_id: int) -> HttpResponse:
        """Take a person's word on one attempt, and go back to its page."""
        attempt = self.get_object(request, str(attempt_id))
        if attempt is None:
            raise Http404
        if not self.has_settle_permission(request):
            raise PermissionDenied
        try:
            note = _settle(request, attempt, called=request.POST.get("called") == "1")
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, attempt, note)
            self.message_user(request, note, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:telephony_callattempt_change", args=[attempt_id]))

    def recording_view(self, request: HttpRequest, attempt_id: int) -> HttpResponseBase:
        """The sound of the attempt's recording, handed through; who asked for it is written down."""
        attempt = self.get_object(request, str(attempt_id))
        if attempt is None:
            raise Http404
        if not request.user.has_perm("telephony.listen_recording"):
            raise PermissionDenied
        try:
            sound = play_recording(attempt, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        except DomainError as error:
            return HttpResponse(error.message, status=404, content_type="text/plain; charset=utf-8")
        return StreamingHttpResponse(
            sound.chunks,
            content_type=sound.content_type,
            headers={"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{attempt_id}"'},
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields; the recording for who may hear it."""
        may_listen = request.user.has_perm("telephony.listen_recording")
        return (*self.fields, "recording") if may_listen and obj is not None and obj.answered_at else self.fields

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """The calls in doubt. One query."""
        url = reverse("admin:telephony_callattempt_changelist")
        doubts = self.get_queryset(request).filter(state=AttemptState.IN_DOUBT).count()
        figure = Figure(
            _("Chamadas em dúvida"), doubts, f"{url}?state__exact={AttemptState.IN_DOUBT}", "warn" if doubts else ""
        )
        return [Panel(_("Telefonia"), 3, [figure])]

    @admin.action(description=gettext_lazy("Em dúvida: a ligação aconteceu"), permissions=["settle"])
    def say_called(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Settle calls in doubt as made."""
        self.run_for_each(request, queryset, do=partial(_settle, request, called=True))

    @admin.action(description=gettext_lazy("Em dúvida: a ligação não aconteceu"), permissions=["settle"])
    def say_not_called(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Settle calls in doubt as not made; their requests are dialed again."""
        self.run_for_each(request, queryset, do=partial(_settle, request, called=False))

    @admin.display(description=gettext_lazy("reservada em"), ordering="claimed_at")
    def started(self, attempt: CallAttempt) -> str:
        """When the dialer took it, to the second."""
        return f"{absolute(attempt.claimed_at)}:{timezone.localtime(attempt.claimed_at):%S}"

    @admin.display(description=gettext_lazy("pedido"), ordering="call_request")
    def request_link(self, attempt: CallAttempt) -> SafeString | str:
        """The request that it tries to serve."""
        if attempt.call_request is None:
            return _("excluído")
        url = reverse("admin:requests_app_callrequest_change", args=[attempt.call_request.pk])
        return format_html('<a href="{}">{}</a>', url, attempt.call_request)

    @admin.display(description=gettext_lazy("número discado"), ordering="phone_e164")
    def phone(self, attempt: CallAttempt) -> str:
        """The number as Brazilians write it."""
        return attempt.phone_display

    @admin.display(description=gettext_lazy("estado"), ordering="state")
    def state_badge(self, attempt: CallAttempt) -> SafeString:
        """The state in its colour."""
        return state_badge(attempt.state)

    @admin.display(description=gettext_lazy("resultado"), ordering="outcome")
    def result(self, attempt: CallAttempt) -> str:
        """What became of the call."""
        text = str(attempt.get_outcome_display() or attempt.error_code or "—")
        return _("%(result)s (notícias contraditórias)") % {"result": text} if attempt.has_conflict else text

    @admin.display(description=gettext_lazy("gravação"))
    def recording(self, attempt: CallAttempt) -> SafeString:
        """A player that asks for the sound only when it is told to: each hearing is written down."""
        url = reverse("admin:telephony_callattempt_recording", args=[attempt.pk])
        return format_html('<audio controls preload="none" src="{}"></audio>', url)

    @admin.display(description=gettext_lazy("regras de ligação"))
    def rules_said(self, attempt: CallAttempt) -> str:
        """What the rules said when it was claimed: on what it was let through, and what was lifted."""
        if not attempt.permission:
            return "—"
        objections = [f"{one.ground}, {one.rule} ({one.effect_text})" for one in told(attempt.permission)]
        count = len(attempt.permission["rules"])
        asked = ngettext("%(count)s regra consultada", "%(count)s regras consultadas", count) % {"count": count}
        return "; ".join([asked, *objections])

    @admin.action(description=gettext_lazy("Não ligar mais: a pessoa pediu"), permissions=["list"])
    def opt_out(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put the numbers on the company's list; nobody of it calls them again."""
        self.run_for_each(request, queryset, do=partial(_stop_calling, request, reason=DoNotCallEntry.Reason.OPT_OUT))

    @admin.action(description=gettext_lazy("Não ligar mais: é outra pessoa"), permissions=["list"])
    def wrong_person(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put the numbers on the company's list of wrong persons."""
        wrong = DoNotCallEntry.Reason.WRONG_PERSON
        self.run_for_each(request, queryset, do=partial(_stop_calling, request, reason=wrong))

    @admin.display(description=gettext_lazy("conversa"), ordering=F("ended_at") - F("answered_at"))
    def talk_time(self, attempt: CallAttempt) -> str:
        """How long the people talked."""
        if attempt.answered_at is None:
            return "—"
        return clock(((attempt.ended_at or timezone.now()) - attempt.answered_at).total_seconds())


def _settle(request: HttpRequest, attempt: CallAttempt, *, called: bool) -> str:
    try:
        settle_doubt(
            attempt.pk,
            called=called,
            actor=request.user,  # type: ignore[arg-type]
            scope=company_scope(request),
            now=timezone.now(),
        )
    except Conflict as refusal:
        raise Conflict(_("A chamada não está mais em dúvida.")) from refusal
    return _("Decidido: a ligação aconteceu.") if called else _("Decidido: a ligação não aconteceu.")


def _stop_calling(request: HttpRequest, attempt: CallAttempt, *, reason: str) -> str:
    stop_calling(
        attempt.phone_e164,
        company_id=attempt.company_id,
        reason=reason,
        actor=request.user,  # type: ignore[arg-type]
        now=timezone.now(),
    )
    return _("Número posto na lista de não ligar.")
