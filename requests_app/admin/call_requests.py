"""The admin of call requests: the list that staff work from, and the page of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from callcenter.lib.admin import CompanyScopedAdmin, company_scope
from callcenter.lib.dashboard import Figure, Panel
from callcenter.lib.errors import Conflict, DomainError
from requests_app import timeline
from requests_app.admin.actions import CallRequestActions
from requests_app.admin.columns import CallRequestColumns
from requests_app.admin.filters import MomentFilter, ResponsibleFilter
from requests_app.admin.forms import CallRequestForm, people_for
from requests_app.admin.live import fragment_response, snapshot
from requests_app.admin.moments import MOMENTS, figures
from requests_app.admin.search import by_number, digits_of, referenced_id
from requests_app.admin.why import ReasonFilter, why_view
from requests_app.data import Origin
from requests_app.models import CallRequest
from requests_app.services.intake import delete_call_request
from requests_app.states import Source, Status

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern


class CallRequestChangeList(ChangeList):
    """A page of requests, each with the reason why it is not being dialed."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; the lines' reason is the same for a company's requests, so it is asked once for each."""
        super().get_results(request)
        reasons: dict[int, str] = {}
        now = timezone.now()
        for row in self.result_list:
            row.listed_at = now
            if row.hold_reason and not (row.due_at and row.due_at <= now):
                row.situation = timeline.why_not_dialed(row)
            else:
                if row.company_id not in reasons:
                    reasons[row.company_id] = timeline.why_not_dialed(row)
                row.situation = reasons[row.company_id]


@admin.register(CallRequest)
class CallRequestAdmin(CallRequestColumns, CallRequestActions, CompanyScopedAdmin):
    """Call requests. Every write goes through the intake services, which also write the ledger."""

    menu_rank = 1
    form = CallRequestForm
    list_display = (
        "person",
        "status_badge",
        "number",
        "company",
        "responsible",
        "due",
        "attempts",
        "outcome",
        "situation_text",
    )
    list_display_links = ("person",)
    list_filter = (
        MomentFilter,
        ReasonFilter,
        "status",
        "company",
        ResponsibleFilter,
        "last_outcome",
        "source",
        "requested_at",
    )
    search_fields = ("name", "email")
    search_help_text = gettext_lazy("Nome, e-mail, telefone em qualquer formato, ou #número do pedido")
    ordering = ("-requested_at", "-id")
    actions = ("dial_selected", "take_selected", "assign_selected", "complete_selected", "no_answer_selected")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    readonly_fields = ("requested", "completed", "source_text", "cart")
    change_form_template = "admin/requests_app/callrequest/change_form.html"
    change_list_template = "admin/requests_app/callrequest/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, the fragment that a request's page polls, its buttons, and what all requests wait for."""
        view = self.admin_site.admin_view
        return [
            path("<int:request_id>/live/", view(require_safe(self.live_view)), name="requests_app_callrequest_live"),
            path("why/", view(require_safe(self.why_page)), name="requests_app_callrequest_why"),
            path("<int:request_id>/do/", view(require_POST(self.button_view)), name="requests_app_callrequest_do"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The requests with their company and responsible."""
        return super().get_queryset(request).select_related("company", "responsible")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Our page of requests."""
        return CallRequestChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The requests with that number or phone when it is written like one, else those with these words."""
        if (request_id := referenced_id(search_term)) is not None:
            return queryset.filter(pk=request_id), False
        if digits := digits_of(search_term):
            return by_number(queryset, digits), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; `#123` in the search box, or a number that is only a request's id, goes straight to its page."""
        if request.method == "GET" and (found := self._only_request_named(request)) is not None:
            return HttpResponseRedirect(reverse("admin:requests_app_callrequest_change", args=[found]))
        return super().changelist_view(request, extra_context)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Person, call and work; what the system wrote, once the request exists."""
        person = (gettext_lazy("Cliente"), {"fields": ("name", "phone", "email", "notes")})
        call = (
            gettext_lazy("Quando ligar"),
            {"fields": (("time_from", "time_to"), "wanted_at", "priority")},
        )
        shop = (gettext_lazy("Loja"), {"fields": (("order_number", "product_number"),)})
        if obj is None:
            return ((None, {"fields": ("company",)}), person, call, shop)
        origin = (
            gettext_lazy("Origem"),
            {"fields": ("company", "source_text", "requested", "completed", "cart"), "classes": ("collapse",)},
        )
        return ((None, {"fields": ("status", "responsible")}), person, call, shop, origin)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The fields only shown; who may not assign can't change the responsible."""
        fields = super().get_readonly_fields(request, obj)
        return fields if self.has_assign_permission(request) else [*fields, "responsible"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, made for this user."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        fields = form.base_fields
        if "responsible" in fields:
            fields["responsible"].queryset = people_for(obj, scope=company_scope(request))
        if "company" in fields:
            companies = fields["company"].queryset.filter(is_active=True)
            fields["company"].queryset = companies
            first_two = list(companies[:2])
            if len(first_two) == 1:
                fields["company"].initial = first_two[0].pk
        return type(form.__name__, (form,), {"actor": request.user})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> CallRequest:
        """The request as the service stored it while the form was validated."""
        stored: CallRequest = form.instance
        return stored

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: a blind save would undo what the dialer did meanwhile."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: there is nothing related to write."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one request: situation, buttons, form and timeline."""
        context = dict(extra_context or {})
        call_request = self.get_object(request, object_id) if request.method == "GET" else None
        if call_request is not None:
            context.update(self._page(request, call_request))
        return super().change_view(request, object_id, form_url, context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """The page; after a refused form its live part is read anew, since the form's row holds what was typed."""
        original = context.get("original")
        context["show_save_and_add_another"] = False
        if original is not None and "call_request" not in context:
            context.update(self._page(request, CallRequest.objects.select_related("company").get(pk=original.pk)))
        return super().render_change_form(request, context, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's page; a request whose call is in flight stays, with the reason."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Conflict as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:requests_app_callrequest_change", args=[object_id]))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service, which keeps the ledger."""
        delete_call_request(obj.pk, scope=company_scope(request), origin=self.origin(request), now=timezone.now())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Our actions; requests are deleted one by one."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def why_page(self, request: HttpRequest) -> HttpResponse:
        """How many open requests wait for what, by company."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return why_view(request, site=self.admin_site, opts=self.opts)

    def live_view(self, request: HttpRequest, request_id: int) -> HttpResponseBase:
        """The live part of a request's page."""
        return fragment_response(request, self._seen(request, request_id))

    def button_view(self, request: HttpRequest, request_id: int) -> HttpResponse:
        """Do what the pressed button says with one request, and go back to its page."""
        call_request = self._seen(request, request_id)
        buttons = {name: (allowed, do) for name, (allowed, do) in self.buttons(request).items()}
        allowed, do = buttons.get(request.POST.get("do", ""), (False, None))
        if not allowed or do is None:
            raise PermissionDenied
        try:
            note = do(call_request)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, call_request, note)
            self.message_user(request, note, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:requests_app_callrequest_change", args=[request_id]))

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """Today's figures. One query."""
        now, url = timezone.now(), reverse("admin:requests_app_callrequest_changelist")
        counted = figures(self.get_queryset(request).order_by(), now=now)
        by_moment = [
            Figure(str(moment.label), counted[name], f"{url}?momento={name}", moment.tone)
            for name, moment in MOMENTS.items()
        ]
        by_status = [
            Figure(str(Status(status).label), counted[status], f"{url}?status__exact={status}", tone)
            for status, tone in ((Status.NEW, "new"), (Status.IN_PROGRESS, "progress"), (Status.NO_ANSWER, "bad"))
        ]
        return [
            Panel(_("Agora"), 1, by_moment),
            Panel(_("Pedidos por status"), 2, by_status, url=url),
        ]

    def origin(self, request: HttpRequest) -> Origin:
        """The ledger's word for a change made here by this user."""
        return Origin(source=Source.ADMIN, actor=request.user)  # type: ignore[arg-type]

    def _page(self, request: HttpRequest, call_request: CallRequest) -> dict[str, Any]:
        """The context that the page needs beyond Django's."""
        buttons = {name for name, (allowed, _do) in self.buttons(request).items() if allowed}
        return {
            **snapshot(request, call_request, now=timezone.now()),
            "title": str(call_request),
            "subtitle": None,
            "buttons": buttons,
        }

    def _seen(self, request: HttpRequest, request_id: int) -> CallRequest:
        """The request, if this user may see it.

        Errors: `Http404`, `PermissionDenied`.
        """
        call_request: CallRequest | None = self.get_object(request, str(request_id))
        if call_request is None:
            raise Http404
        if not self.has_view_or_change_permission(request, call_request):
            raise PermissionDenied
        return call_request

    def _only_request_named(self, request: HttpRequest) -> int | None:
        """The id of the one request that the search box can mean; None when a list is the better answer."""
        text = request.GET.get("q", "")
        if not self.has_view_or_change_permission(request):
            return None
        request_id = referenced_id(text)
        if request_id is not None:
            found = self.get_queryset(request).filter(pk=request_id)
        elif (digits := digits_of(text)) and len(digits) <= 18:
            found = by_number(self.get_queryset(request), digits)
        else:
            return None
        ids = list(found.order_by().values_list("pk", flat=True)[:2])
        return ids[0] if ids == [request_id or int(digits_of(text))] else None
