"""What staff do with requests, many from the list or one from its page: dial, take over, assign, close."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import company_scope
from requests_app.admin.forms import AssignForm
from requests_app.data import Origin
from requests_app.services.intake import change_call_request, dial_now, take_call_request
from requests_app.states import Source, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from callcenter.lib.admin import CompanyScopedAdmin as _Base
    from requests_app.models import CallRequest
else:
    _Base = object


class CallRequestActions(_Base):
    """The actions; each goes row by row through the intake services, within the user's companies."""

    def has_dial_permission(self, request: HttpRequest) -> bool:
        """Whether the user may have requests dialed at once."""
        return bool(request.user.has_perm("requests_app.dial_callrequest"))

    def has_assign_permission(self, request: HttpRequest) -> bool:
        """Whether the user may say who answers for a request."""
        return bool(request.user.has_perm("requests_app.assign_callrequest"))

    def buttons(self, request: HttpRequest) -> dict[str, tuple[bool, Callable[[CallRequest], str]]]:
        """What a request's page can do: name → whether this user may, and the deed."""
        may_change = self.has_change_permission(request)
        return {
            "take": (may_change, partial(_take, request)),
            "dial": (self.has_dial_permission(request), partial(_dial, request)),
            "complete": (may_change, partial(_set_status, request, Status.COMPLETED)),
            "no_answer": (may_change, partial(_set_status, request, Status.NO_ANSWER)),
        }

    @admin.action(description=gettext_lazy("Ligar agora"), permissions=["dial"])
    def dial_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Make the selected requests due at once."""
        self.run_for_each(request, queryset, do=partial(_dial, request))

    @admin.action(description=gettext_lazy("Assumir"), permissions=["change"])
    def take_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Make the selected requests the user's own, out of the dialer's reach."""
        self.run_for_each(request, queryset, do=partial(_take, request))

    @admin.action(description=gettext_lazy("Concluir"), permissions=["change"])
    def complete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Close the selected requests as completed."""
        self.run_for_each(request, queryset, do=partial(_set_status, request, Status.COMPLETED))

    @admin.action(description=gettext_lazy("Marcar sem resposta"), permissions=["change"])
    def no_answer_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Close the selected requests as not answered."""
        self.run_for_each(request, queryset, do=partial(_set_status, request, Status.NO_ANSWER))

    @admin.action(description=gettext_lazy("Atribuir a…"), permissions=["assign"])
    def assign_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask to whom, then hand the selected requests over."""
        rows = self.action_rows(request, queryset)
        if not rows:
            return None
        company_ids = {row.company_id for row in rows}
        form = AssignForm(request.POST if "apply" in request.POST else None, company_ids=company_ids)
        if form.is_valid():
            self.run_for_each(request, queryset, do=partial(_assign, request, form.cleaned_data["responsible"]))
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Atribuir pedidos"),
            "opts": self.opts,
            "form": form,
            "rows": rows,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/requests_app/callrequest/assign.html", context)


def _origin(request: HttpRequest) -> Origin:
    return Origin(source=Source.ADMIN, actor=request.user)  # type: ignore[arg-type]


def _dial(request: HttpRequest, row: CallRequest) -> str:
    dial_now(row.pk, scope=company_scope(request), origin=_origin(request), now=timezone.now())
    return _("Mandado ligar agora.")


def _take(request: HttpRequest, row: CallRequest) -> str:
    take_call_request(row.pk, scope=company_scope(request), origin=_origin(request), now=timezone.now())
    return _("É seu; o discador não liga mais.")


def _set_status(request: HttpRequest, status: Status, row: CallRequest) -> str:
    _change(request, row, status=status)
    return _("Marcado como “%(status)s”.") % {"status": status.label}


def _assign(request: HttpRequest, person: Any, row: CallRequest) -> str:
    _change(request, row, responsible_id=person.pk if person else None)
    return _("Atribuído a %(person)s.") % {"person": person} if person else _("Ficou sem responsável.")


def _change(request: HttpRequest, row: CallRequest, **fields: Any) -> None:
    change_call_request(
        row.pk, scope=company_scope(request), origin=_origin(request), now=timezone.now(), fields=fields
    )
