"""The admin of the switches and breakers: stop and start the dialer or one line, and review after a restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from callcenter.lib.admin import CompanyScopedAdmin, company_scope
from callcenter.lib.dashboard import Panel, Row
from callcenter.lib.errors import Conflict
from requests_app.selectors import waiting_since
from telephony.models import DialerLine, DialerSwitch, LineBreaker, SwitchEntry
from telephony.services import breaker
from telephony.services.switches import dialer_switch, turn_dialer, turn_line
from telephony.states import BreakerState, MoveReason

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

HISTORY_ROWS: Final = 20
NOTE_LENGTH: Final = 200


@admin.register(DialerSwitch)
class DialerSwitchAdmin(CompanyScopedAdmin):
    """The switch for all lines: one page, with its history and what to review after a restore."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The one row, which is nobody's in particular."""
        return DialerSwitch.objects.all()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: there is one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by a form: it is turned, with a reason."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, and the one that asks for the reason and turns the switch."""
        turn = path("turn/", self.admin_site.admin_view(self.turn_view), name="telephony_dialerswitch_turn")
        return [turn, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """How the switch stands, who turned it and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        switch = dialer_switch()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Discador"),
            "opts": self.opts,
            "switch": switch,
            "may_turn": _may_turn(request),
            "history": SwitchEntry.objects.filter(line=None).select_related("actor")[:HISTORY_ROWS],
            "review": _review(request, switch),
        }
        return TemplateResponse(request, "admin/telephony/dialerswitch/page.html", context)

    def turn_view(self, request: HttpRequest) -> HttpResponse:
        """The question for the reason, and then the switch turned."""
        if not _may_turn(request):
            raise PermissionDenied
        page = reverse("admin:telephony_dialerswitch_changelist")
        on = _asked_for(request, is_on=dialer_switch().is_on)

        def turn(note: str) -> None:
            turn_dialer(on=on, now=timezone.now(), actor=request.user, note=note)  # type: ignore[arg-type]

        return _confirmed(self, request, on=on, what=_("o discador inteiro"), page=page, turn=turn)

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """A banner, when nothing is dialed at all."""
        switch = DialerSwitch.objects.filter(is_on=False).first()
        if switch is None:
            return []
        since = timezone.localtime(switch.changed_at)
        row = Row(
            label=_("Nada é discado"),
            note=switch.note or str(switch.get_reason_display()),
            url=reverse("admin:telephony_dialerswitch_changelist"),
            state=_("Desligado desde %(since)s") % {"since": f"{since:%d/%m %H:%M}"},
            tone="bad",
        )
        return [Panel(_("O discador está desligado"), 0, rows=[row], url=row.url)]


class LineSafety(CompanyScopedAdmin):
    """What the page of a line shows of its switch and breaker, and the buttons for them."""

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, and those that turn the line's switch and close its breaker."""
        close = self.admin_site.admin_view(require_POST(self.close_breaker_view))
        return [
            path(
                "<int:line_id>/turn/",
                self.admin_site.admin_view(self.turn_view),
                name="telephony_dialerline_turn",
            ),
            path("<int:line_id>/close-breaker/", close, name="telephony_dialerline_close_breaker"),
            *super().get_urls(),
        ]

    def safety_context(self, request: HttpRequest, line: DialerLine) -> dict[str, Any]:
        """What the line's page needs of its switch and breaker. Two queries."""
        found = LineBreaker.objects.filter(pk=line.pk).first()
        reasons = dict(MoveReason.choices)
        return {
            "breaker": found,
            "breaker_reason": reasons.get(found.reason, found.reason) if found else "",
            "breaker_is_shut": found is not None and found.state != BreakerState.CLOSED,
            "switch_history": line.switch_entries.select_related("actor")[:5],
            "may_turn_line": self.has_change_permission(request, line),
        }

    def turn_view(self, request: HttpRequest, line_id: int) -> HttpResponse:
        """The question for the reason, and then the line's switch turned."""
        line = self._changeable(request, line_id)
        page = reverse("admin:telephony_dialerline_change", args=[line_id])
        on = _asked_for(request, is_on=line.is_enabled)

        def turn(note: str) -> None:
            turn_line(line_id, on=on, now=timezone.now(), actor=request.user, note=note)  # type: ignore[arg-type]
            self.log_change(request, line, _("Linha ligada.") if on else _("Linha desligada."))

        return _confirmed(self, request, on=on, what=str(line), page=page, turn=turn)

    def close_breaker_view(self, request: HttpRequest, line_id: int) -> HttpResponse:
        """Let the line dial again at once, and go back to its page."""
        line = self._changeable(request, line_id)
        if breaker.close(line_id, now=timezone.now()):
            self.log_change(request, line, _("Disjuntor fechado."))
            messages.success(request, _("Disjuntor fechado: a linha disca de novo."))
        else:
            messages.warning(request, _("O disjuntor já estava fechado."))
        return HttpResponseRedirect(reverse("admin:telephony_dialerline_change", args=[line_id]))

    def _changeable(self, request: HttpRequest, line_id: int) -> DialerLine:
        line: DialerLine | None = self.get_object(request, str(line_id))
        if line is None:
            raise Http404
        if not self.has_change_permission(request, line):
            raise PermissionDenied
        return line


def _may_turn(request: HttpRequest) -> bool:
    """Whether the user may turn the switch for all: it stops everybody, so only who sees every company."""
    return request.user.has_perm("telephony.switch_dialer") and company_scope(request) is None


def _asked_for(request: HttpRequest, *, is_on: bool) -> bool:
    """Whether on is asked for: what the page said when it was confirmed, whoever has turned the switch since."""
    return request.POST["turn"] == "on" if "turn" in request.POST else not is_on


def _review(request: HttpRequest, switch: DialerSwitch) -> dict[str, Any] | None:
    """What a person must look at before the dialer may go on after a restore; None when nothing was lost."""
    if switch.is_on or switch.lost_until is None:
        return None
    waiting = waiting_since(company_scope(request), due_before=switch.lost_until, limit=HISTORY_ROWS + 1)
    return {
        "lost_from": switch.lost_from,
        "lost_until": switch.lost_until,
        "requests": [(one, reverse("admin:requests_app_callrequest_change", args=[one.pk])) for one in waiting],
    }


def _confirmed(
    model_admin: CompanyScopedAdmin, request: HttpRequest, *, on: bool, what: str, page: str, turn: Any
) -> HttpResponse:
    """The page that asks why; once that is said, the switch is turned and the user is back."""
    note = request.POST.get("note", "").strip()[:NOTE_LENGTH]
    if note and "turn" in request.POST:
        try:
            turn(note)
        except Conflict as error:
            messages.warning(request, str(error.message))
        else:
            done = _("Ligado: %(what)s.") if on else _("Desligado: %(what)s.")
            messages.success(request, done % {"what": what})
        return HttpResponseRedirect(page)
    if request.method == "POST" and not note:
        messages.error(request, _("Diga por quê."))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Ligar %(what)s") % {"what": what} if on else _("Desligar %(what)s") % {"what": what},
        "opts": model_admin.opts,
        "turn_on": on,
        "what": what,
        "back": page,
        "note_length": NOTE_LENGTH,
    }
    return TemplateResponse(request, "admin/telephony/turn.html", context)
