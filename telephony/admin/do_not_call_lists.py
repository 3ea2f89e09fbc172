"""The admin of do-not-call lists as such: which there are, whose, and the files that are read into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, ReadOnlyAdmin, SharedRowsAdmin, company_scope
from callcenter.lib.errors import DomainError
from callcenter.lib.phones import REFUSALS
from telephony.models import DoNotCallImport, DoNotCallList
from telephony.services.number_imports import read_into, start_import
from telephony.services.rule_snapshot import mark_changed

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

# What the numbers' own refusals don't say.
_PROBLEMS = {"missing_column": gettext_lazy("Falta uma coluna."), "bad_date": gettext_lazy("A data não se entende.")}


class ImportForm(forms.Form):
    """A file for a list; `goes_on` = the stopped import of the same file that it goes on with."""

    file = forms.FileField(label=gettext_lazy("Arquivo CSV ou TXT"))
    listed_on = forms.DateField(
        label=gettext_lazy("Cadastrados desde"),
        help_text=gettext_lazy("Para linhas sem data própria; daqui se conta o prazo da lista."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    replaces = forms.BooleanField(
        label=gettext_lazy("O arquivo é a lista inteira: retirar quem não está nele"), required=False
    )
    goes_on = forms.ModelChoiceField(
        DoNotCallImport.objects.none(), label=gettext_lazy("Continuar importação interrompida"), required=False
    )


@admin.register(DoNotCallList)
class DoNotCallListAdmin(SharedRowsAdmin):
    """The lists, with how many numbers each has, and the import of files."""

    for_all_help = gettext_lazy("Em branco: vale para todas.")
    empty_text = gettext_lazy(
        "Nenhuma lista ainda. Crie uma e importe o arquivo do órgão; a interna nasce com o primeiro número."
    )
    list_display = ("__str__", "company", "numbers", "updated_at", "is_active")
    list_filter = ("kind", "company")
    list_select_related = ("company",)
    ordering = ("kind", "company__name")
    fields = ("kind", "company", "is_active", "numbers", "updated_at")
    readonly_fields = ("numbers", "updated_at")
    fixed_fields = ("kind", "company")
    change_form_template = "admin/telephony/donotcalllist/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, and the one that takes a file."""
        view = self.admin_site.admin_view(self.import_view)
        return [path("<int:list_id>/import/", view, name="telephony_donotcalllist_import"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a list is put out of use instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the list; the rules are read anew."""
        super().save_model(request, obj, form, change)
        mark_changed()

    def import_view(self, request: HttpRequest, list_id: int) -> HttpResponse:
        """Take a file, read it to its end, and show what came of it. No file is kept."""
        target = self.get_object(request, str(list_id))
        if target is None:
            raise Http404
        if not (
            request.user.has_perm("telephony.import_donotcallentry") and self.has_change_permission(request, target)
        ):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None, initial={"listed_on": timezone.localdate()})
        stopped = target.imports.filter(state=DoNotCallImport.State.RUNNING)
        form.fields["goes_on"].queryset = stopped  # type: ignore[attr-defined]
        if request.method == "POST" and form.is_valid():
            try:
                done = _read(request, target, form.cleaned_data)
            except DomainError as error:
                self.message_user(request, error.message, messages.ERROR)
            else:
                self.log_change(request, target, _("Arquivo importado."))
                return HttpResponseRedirect(reverse("admin:telephony_donotcallimport_change", args=[done.pk]))
        context = {**self.admin_site.each_context(request), "title": _("Importar números"), "opts": self.opts}
        return TemplateResponse(
            request, "admin/telephony/donotcalllist/import.html", {**context, "form": form, "target": target}
        )


@admin.register(DoNotCallImport)
class DoNotCallImportAdmin(ReadOnlyAdmin):
    """What became of each file."""

    company_path = "list__company"
    empty_text = gettext_lazy("Nenhum arquivo importado ainda: abra uma lista e use “Importar números”.")
    list_display = ("__str__", "state", "started_at", "lines", "added", "known", "refused", "removed")
    list_filter = ("state",)
    list_select_related = ("list__company",)
    exclude = ("problems",)
    readonly_fields = ("problems_told",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The imports of the user's lists, and of those for all."""
        rows = super(CompanyScopedAdmin, self).get_queryset(request).select_related("list__company", "actor")
        scope = company_scope(request)
        return rows if scope is None else rows.filter(Q(list__company__in=scope) | Q(list__company=None))

    @admin.display(description=gettext_lazy("problemas"))
    def problems_told(self, one: DoNotCallImport) -> str:
        """Line and reason of each, without the number."""
        reasons = {**REFUSALS, **_PROBLEMS}
        lines = [
            _("linha %(line)s: %(reason)s") % {"line": line, "reason": reasons.get(reason, reason)}
            for line, reason in one.problems
        ]
        return "\n".join(lines) or "—"


def _read(request: HttpRequest, target: DoNotCallList, values: dict[str, Any]) -> DoNotCallImport:
    one = values["goes_on"] or start_import(
        target,
        file_name=values["file"].name,
        listed_on=values["listed_on"],
        replaces=values["replaces"],
        actor=request.user,  # type: ignore[arg-type]
        now=timezone.now(),
    )
    return read_into(one.pk, values["file"])
