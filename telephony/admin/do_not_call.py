"""The admin of do-not-call lists: put on, take off, import, authorise, and ask whether a number may be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.accounts.models import Company
from callcenter.lib.admin import CompanyScopedAdmin, SharedRowsAdmin, company_scope
from callcenter.lib.errors import DomainError
from callcenter.lib.number_digests import number_digest
from telephony.admin.calling_rules import by_number
from telephony.admin.number_field import NumberField
from telephony.models import CallAuthorization, DialerLine, DoNotCallEntry
from telephony.rule_terms import INTERNAL_LISTS, ListKind
from telephony.services.do_not_call import authorise, lists_of, stop_calling, take_off
from telephony.services.permission import Number, judged
from telephony.services.permission_text import told

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

_R = DoNotCallEntry.Reason
_TO_LIST = [(one.value, one.label) for one in (_R.OPT_OUT, _R.WRONG_PERSON, _R.COMPLAINT, _R.LEGAL)]
_TO_TAKE_OFF = [(one.value, one.label) for one in (_R.ASKED_BACK, _R.MISTAKE, _R.LEGAL)]


class EntryForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person who is not to be called any more."""

    phone = NumberField()
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"), choices=_TO_LIST)
    company = forms.ModelChoiceField(Company.objects.none(), label=gettext_lazy("Empresa"), required=False)

    class Meta:
        model = DoNotCallEntry
        fields = ("reason",)


class TakeOffForm(forms.Form):
    """Who is taken off, and why; the number proves that the right record is meant."""

    phone = NumberField()
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"), choices=_TO_TAKE_OFF)


class LookupForm(forms.Form):
    """A number to ask about."""

    phone = NumberField()


@admin.register(DoNotCallEntry)
class DoNotCallEntryAdmin(SharedRowsAdmin):
    """Numbers on lists. The list shows what people put there; a number that is typed is found wherever it is."""

    company_path = "list__company"
    form = EntryForm
    empty_text = gettext_lazy(
        "Ninguém foi posto à mão em uma lista. Um número importado aparece quando é digitado na busca."
    )
    list_display = ("__str__", "list", "reason_shown", "listed_on", "added_at", "actor")
    list_filter = ("reason", "list__kind")
    list_select_related = ("list__company", "actor")
    search_fields = ("id",)
    search_help_text = gettext_lazy("Digite o número inteiro, com DDD")
    ordering = ("-id",)
    fields = ("phone", "reason", "company")
    change_list_template = "admin/telephony/donotcallentry/change_list.html"
    change_form_template = "admin/telephony/donotcallentry/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, the question about a number, and the way off a list."""
        wrap = self.admin_site.admin_view
        return [
            path("lookup/", wrap(self.lookup_view), name="telephony_donotcallentry_lookup"),
            path("<int:entry_id>/take-off/", wrap(self.take_off_view), name="telephony_donotcallentry_take_off"),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The entries of that number; without one, those that people made."""
        if search_term.strip():
            return by_number(queryset, search_term) or (queryset.none(), False)
        return queryset.filter(seen_in=None), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is asked for a new one; what is known of one that exists."""
        return self.fields if obj is None else ("list", "reason_shown", "listed_on", "added_at", "actor", "seen_in")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Everything, once it exists."""
        return [] if obj is None else list(self.get_fields(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: an entry is made and taken off."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never here: it is taken off with a reason."""
        return False

    def has_take_off_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may take numbers off lists, and off this one."""
        return bool(request.user.has_perm("telephony.delete_donotcallentry")) and self.is_own(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; who is bound to companies lists for one of them."""
        if obj is not None:
            return super().get_form(request, obj, change=change, **{**kwargs, "form": forms.ModelForm, "fields": []})
        form = super().get_form(request, obj, change=change, **kwargs)
        scope = company_scope(request)
        company: Any = form.base_fields["company"]
        company.queryset = Company.objects.all() if scope is None else Company.objects.filter(pk__in=scope)
        company.required = scope is not None
        company.help_text = "" if scope is not None else _("Em branco: ninguém liga, por nenhuma empresa.")
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Put the number on the list; its waiting requests are held."""
        values = form.cleaned_data
        stop_calling(
            values["phone"],
            company_id=values["company"].pk if values["company"] else None,
            reason=values["reason"],
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
        found = DoNotCallEntry.objects.filter(number_digest=number_digest(values["phone"])).order_by("-id")[0]
        for field in obj._meta.concrete_fields:
            setattr(obj, field.attname, getattr(found, field.attname))
        obj._state.adding = False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The entry's page, with the way off the list."""
        entry = self.get_object(request, object_id)
        may = entry is not None and self.has_take_off_permission(request, entry)
        context = {"take_off_form": TakeOffForm() if may else None}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def take_off_view(self, request: HttpRequest, entry_id: int) -> HttpResponse:
        """Take one number off its list, and go back to the list of entries."""
        entry = self.get_object(request, str(entry_id))
        if entry is None:
            raise Http404
        if request.method != "POST" or not self.has_take_off_permission(request, entry):
            raise PermissionDenied
        form = TakeOffForm(request.POST)
        if not form.is_valid():
            texts = [str(text) for errors in form.errors.values() for text in errors]
            self.message_user(request, " ".join(texts), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:telephony_donotcallentry_change", args=[entry_id]))
        try:
            take_off(
                entry.pk,
                phone_e164=form.cleaned_data["phone"],
                reason=form.cleaned_data["reason"],
                actor=request.user,  # type: ignore[arg-type]
                scope=company_scope(request),
                now=timezone.now(),
            )
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:telephony_donotcallentry_change", args=[entry_id]))
        self.message_user(request, _("Número retirado da lista."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:telephony_donotcallentry_changelist"))

    def lookup_view(self, request: HttpRequest) -> HttpResponse:
        """Whether a number may be called now on each line, and why not; the number stays off the address."""
        if not request.user.has_perm("telephony.lookup_donotcallentry"):
            raise PermissionDenied
        form = LookupForm(request.POST or None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Posso ligar?"),
            "opts": self.opts,
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            context |= _answer(form.cleaned_data["phone"], scope=company_scope(request))
        return TemplateResponse(request, "admin/telephony/donotcallentry/lookup.html", context)

    @admin.display(description=gettext_lazy("motivo"), ordering="reason")
    def reason_shown(self, entry: DoNotCallEntry) -> str:
        """Why it is there; an import has no reason of its own."""
        return str(entry.get_reason_display()) if entry.reason else "—"


class AuthorizationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's leave; the number is typed once and only its digest is kept."""

    phone = NumberField()
    list_kind = forms.ChoiceField(
        label=gettext_lazy("Lista"),
        required=False,
        choices=[("", gettext_lazy("Qualquer lista pública"))]
        + [(kind.value, kind.label) for kind in ListKind if kind not in INTERNAL_LISTS],
    )

    class Meta:
        model = CallAuthorization
        fields = ("company", "list_kind", "given_on", "valid_to", "evidence")


@admin.register(CallAuthorization)
class CallAuthorizationAdmin(CompanyScopedAdmin):
    """Who allowed a company to call them although a public list has them."""

    form = AuthorizationForm
    empty_text = gettext_lazy(
        "Nenhuma autorização ainda. Anote aqui quem, apesar de uma lista pública, deixou a empresa ligar."
    )
    list_display = ("__str__", "company", "list_shown", "given_on", "valid_to", "evidence")
    list_filter = ("company", "list_kind")
    list_select_related = ("company",)
    search_fields = ("evidence",)
    search_help_text = gettext_lazy("Número inteiro, ou a prova")
    fields = ("phone", "company", "list_kind", "given_on", "valid_to", "evidence")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a new one for the same number and list takes its place."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those of that number, or with that evidence."""
        return by_number(queryset, search_term) or super().get_search_results(request, queryset, search_term)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields; the number can't be shown afterwards."""
        return [name for name in self.fields if obj is None or name != "phone"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store it; requests that a list held are looked at again."""
        values = form.cleaned_data
        stored = authorise(
            values["phone"],
            company_id=values["company"].pk,
            list_kind=values["list_kind"],
            given_on=values["given_on"],
            valid_to=values["valid_to"],
            evidence=values["evidence"],
            now=timezone.now(),
        )
        obj.pk = stored.pk
        obj._state.adding = False

    @admin.display(description=gettext_lazy("lista"), ordering="list_kind")
    def list_shown(self, given: CallAuthorization) -> str:
        """Which list it lifts."""
        return str(given.get_list_kind_display()) if given.list_kind else _("Qualquer lista pública")


def _answer(phone_e164: str, *, scope: frozenset[int] | None) -> dict[str, Any]:
    """What is known of the number, and what the rules say of calling it on each line that the user sees."""
    now = timezone.now()
    lines = (
        DialerLine.objects.defer(*DialerLine.SECRET_FIELDS).select_related("company").order_by("company__name", "name")
    )
    if scope is not None:
        lines = lines.filter(company_id__in=scope)
    answers = []
    for line in lines[:20]:
        (verdict,) = judged([Number(phone_e164)], line=line, now=now)
        answers.append({"line": line, "verdict": verdict, "told": told(verdict.record)})
    return {"asked": True, "listings": lists_of(phone_e164, scope=scope), "answers": answers}
