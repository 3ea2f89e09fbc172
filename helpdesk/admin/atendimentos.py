"""The admin of conversations: the list, the page of one with its live part and buttons, search and export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from callcenter.lib.admin import CompanyScopedAdmin, company_scope
from callcenter.lib.dashboard import Figure, Panel
from callcenter.lib.errors import DomainError
from helpdesk.admin.columns import AtendimentoColumns
from helpdesk.admin.deeds import Deeds
from helpdesk.admin.export import history_response
from helpdesk.admin.files import attachment_response
from helpdesk.admin.filters import QUEUES, QueueFilter
from helpdesk.admin.page import fragment_response, page_context
from helpdesk.admin.search_page import search_view
from helpdesk.models import Atendimento, Attachment, Attendant
from helpdesk.querysets import access_granted_to
from helpdesk.services.closing import close, delete
from helpdesk.services.companies import attendant_for
from helpdesk.services.opening import open_atendimento
from helpdesk.services.reading import mark_read
from helpdesk.services.taking import take
from helpdesk.states import OPEN, S

if TYPE_CHECKING:
    import uuid

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern

    from helpdesk.models import Attendant

_LISTED = ("company", "contact", "attendant", "responsible_team", "channel", "last_message")


class NewAtendimentoForm(forms.ModelForm):  # type: ignore[type-arg]
    """With whom a conversation is begun, and on which of our channels."""

    class Meta:
        model = Atendimento
        fields: ClassVar[tuple[str, ...]] = ("contact", "channel", "title")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("contact", "channel"):
            self.fields[name].required = True

    def clean(self) -> dict[str, Any]:
        """The values, of one company."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        contact, channel = values.get("contact"), values.get("channel")
        if contact and channel and contact.company_id != channel.company_id:
            self.add_error("channel", _("O canal é de outra empresa."))
        return values


@admin.register(Atendimento)
class AtendimentoAdmin(AtendimentoColumns, CompanyScopedAdmin):
    """Conversations. Every write goes through the services, which keep the states, the numbers and the log."""

    menu_rank = 2
    form = NewAtendimentoForm
    list_display = (
        "requester", "situation", "waits", "holder", "last_words", "medium", "company", "protocol_text",
    )  # fmt: skip
    list_display_links = ("requester",)
    list_filter = (QueueFilter, "company", "channel", "responsible_team", "category", "tags", "created_at")
    list_select_related = _LISTED
    search_fields = ("title", "contact__name", "contact__email")
    search_help_text = gettext_lazy("Nome, e-mail, telefone ou protocolo; para o que foi dito, “Buscar nas mensagens”")
    ordering = ("-number",)
    autocomplete_fields = ("contact",)
    actions = ("take_selected", "close_selected")
    change_list_template = "admin/helpdesk/atendimento/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, the search, and of each conversation the live part, the buttons and the history."""
        view, name = self.admin_site.admin_view, "helpdesk_atendimento"
        return [
            path("busca/", view(require_safe(self.search_page)), name="helpdesk_search"),
            path("arquivo/<uuid:key>/", view(require_safe(self.file_view)), name="helpdesk_attachment"),
            path("<uuid:key>/live/", view(require_safe(self.live_view)), name=f"{name}_live"),
            path("<uuid:key>/do/", view(require_POST(self.deed_view)), name=f"{name}_do"),
            path("<uuid:key>/export/", view(require_safe(self.export_view)), name=f"{name}_export"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The conversations of the user's companies; private ones for those who may see them."""
        rows = super().get_queryset(request).filter(deleted_at=None)
        if request.user.has_perm("helpdesk.assign_atendimento"):
            return rows
        mine = Q(attendant__user=request.user.pk) | Q(responsible_attendant__user=request.user.pk)
        hashes = Attendant.objects.filter(user=request.user.pk).values_list("hash", flat=True)
        named = access_granted_to(request.user.get_username(), *hashes)
        return rows.filter(Q(is_private=False) | mine | named)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those with that protocol or phone when it is written like one, else those with these words."""
        digits = "".join(letter for letter in search_term if letter.isdigit())
        is_number = digits and not any(letter.isalpha() or letter == "@" for letter in search_term)
        if not is_number or len(digits) > 18:
            return super().get_search_results(request, queryset, search_term)
        part = digits.removeprefix("0") or digits
        phones = Q(contact__phone_e164__contains=part) | Q(contact__whatsapp_e164__contains=part)
        return queryset.filter(Q(company_number=int(digits)) | (phones if len(digits) > 3 else Q())), False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address says of the contact."""
        return {"contact": request.GET.get("contact", "")}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Open the conversation, held by the user; or join the one that is open with the contact there."""
        values = form.cleaned_data
        person = attendant_for(request.user, values["channel"].company)  # type: ignore[arg-type]
        opened, _is_new = open_atendimento(
            values["contact"], values["channel"], now=timezone.now(), attendant=person, created_by=person,
            title=values["title"],
        )  # fmt: skip
        obj.pk, obj.company_id, obj.company_number = opened.pk, opened.company_id, opened.company_number

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: there is nothing related to write."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The page of the new conversation."""
        return HttpResponseRedirect(reverse("admin:helpdesk_atendimento_change", args=[obj.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one conversation; the buttons on it have an address of their own."""
        atendimento = self.get_object(request, object_id)
        if atendimento is None:
            # Django's own answer to an unknown id.
            return super().change_view(request, object_id, form_url, extra_context)
        if not self.has_view_permission(request, atendimento):
            raise PermissionDenied
        return self.page(request, atendimento)

    def page(self, request: HttpRequest, atendimento: Atendimento, **extra: Any) -> HttpResponse:
        """The page; `extra` = what was typed and why it was refused."""
        if atendimento.attendant is not None and atendimento.attendant.user_id == request.user.pk:
            mark_read(atendimento, now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            **page_context(request, self, atendimento),
            "opts": self.opts,
            **extra,
        }
        request.current_app = self.admin_site.name
        response: HttpResponse = TemplateResponse(request, "admin/helpdesk/atendimento/conversation.html", context)
        if settings.CHAT_STREAM_URL:
            # Without a proxy in front the streams are on another port, which counts as another site.
            csp_update({"connect-src": [settings.CHAT_STREAM_URL]})(lambda _request: response)(request)
        return response

    def live_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
        """What of the page has changed."""
        return fragment_response(request, self, self.seen(request, key))

    def deed_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Do what the pressed button says, and go back to the page."""
        return Deeds(self, request, self.seen(request, key)).done()

    def export_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """The conversation as the requester may have it."""
        atendimento = self.seen(request, key)
        self.log_change(request, atendimento, _("Histórico exportado."))
        return history_response(request, [atendimento], title=_("Atendimento %s") % atendimento.protocol)

    def search_page(self, request: HttpRequest) -> HttpResponse:
        """The search over contacts and messages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return search_view(request, self)

    def file_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
        """The file of a message of a conversation that the user may see."""
        visible = self.get_queryset(request).values("pk")
        file = Attachment.objects.filter(hash=key, message__atendimento__in=visible).first()
        if file is None or not self.has_view_permission(request):
            raise Http404
        return attachment_response(file)

    def seen(self, request: HttpRequest, key: uuid.UUID) -> Atendimento:
        """The conversation, if this user may see it.

        Errors: `Http404`, `PermissionDenied`.
        """
        atendimento: Atendimento | None = self.get_object(request, str(key))
        if atendimento is None:
            raise Http404
        if not self.has_view_permission(request, atendimento):
            raise PermissionDenied
        return atendimento

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The conversation with all that its page names."""
        found: Any = super().get_object(request, object_id, from_field)
        if found is not None:
            # One query more, on three pages only.
            names = ("company", "contact__customer", "attendant", "responsible_team", "responsible_attendant")
            found = Atendimento.objects.select_related(*names, "channel__team", "address").get(pk=found.pk)
        return found

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes the columns as such."""
        return False if obj is None else super().has_change_permission(request, obj)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Whether the user may close conversations."""
        return bool(request.user.has_perm("helpdesk.close_atendimento"))

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Whether the user may answer."""
        return bool(request.user.has_perm("helpdesk.answer_atendimento"))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service, which keeps the log."""
        delete(obj.pk, scope=company_scope(request), now=timezone.now(), by=self.me(request, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, dict[str, int], set[str], list[str]]:
        """The conversations: they are only marked, and keep what hangs on them."""
        return [str(one) for one in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Our actions; conversations are deleted one by one."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def me(self, request: HttpRequest, atendimento: Atendimento) -> Attendant:
        """The user as an attendant of the conversation's company."""
        return attendant_for(request.user, atendimento.company)  # type: ignore[arg-type]

    @admin.action(description=gettext_lazy("Assumir"), permissions=["answer"])
    def take_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take these; those that another person has stay there, and that is said."""

        def take_one(atendimento: Atendimento) -> str:
            person = self.me(request, atendimento)
            done = take(atendimento.pk, person, scope=company_scope(request), now=timezone.now())
            if not done.has_changed and done.atendimento.attendant_id != person.pk:
                raise DomainError(_("está com outra pessoa ou concluído."))
            return _("Assumido.")

        self.run_for_each(request, queryset, do=take_one)

    @admin.action(description=gettext_lazy("Concluir"), permissions=["close"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Close these."""

        def close_one(atendimento: Atendimento) -> str:
            person = self.me(request, atendimento)
            close(atendimento.pk, scope=company_scope(request), now=timezone.now(), by=person)
            return _("Concluído.")

        self.run_for_each(request, queryset, do=close_one)

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """How many conversations are open, and whose turn it is. One query."""
        url = reverse("admin:helpdesk_atendimento_changelist")
        mine = Q(attendant__user=request.user.pk)
        counted = (
            self.get_queryset(request)
            .filter(state__in=OPEN)
            .order_by()
            .aggregate(
                queue=Count("pk", filter=Q(state=S.QUEUED)),
                waiting=Count("pk", filter=Q(is_waiting=True)),
                mine=Count("pk", filter=mine),
                automatic=Count("pk", filter=Q(state=S.AUTOMATIC)),
            )
        )
        tones = {"queue": "warn", "waiting": "bad", "mine": "new", "automatic": "progress"}
        figures = [
            Figure(str(QUEUES[name]), counted[name], f"{url}?fila={name}", tone if counted[name] else "")
            for name, tone in tones.items()
        ]
        return [Panel(_("Atendimentos abertos"), 2, figures, url=url)]
