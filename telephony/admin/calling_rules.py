"""The admin of who may be called and when: dated rules with their versions, own holidays, what contacts asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from callcenter.lib.admin import CompanyScopedAdmin, SharedRowsAdmin
from callcenter.lib.display import absolute, badge
from callcenter.lib.number_digests import number_digest
from telephony.admin.number_field import NumberField
from telephony.admin.rule_parameters import PREFIX, parameter_fields, parameters_of, told
from telephony.admin.rules import VocabularyAdmin
from telephony.metering import limit_of
from telephony.models import CallingRule, CallingRuleVersion, ContactPreference, OwnHoliday
from telephony.rule_terms import Activity, Exemption, Holidays, Level, ListKind, Sector, Severity
from telephony.services.calling_rules import delete_rule, store_rule
from telephony.services.rule_snapshot import mark_changed
from telephony.weekly_hours import HoursError, hours_text, parse_hours

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_TOLD_VERSIONS = 20
# What the codes in a kept version are called.
_LABELS: Final[dict[str, dict[Any, Any]]] = {
    "level": dict(Level.choices),
    "severity": dict(Severity.choices),
    "holidays": dict(Holidays.choices),
    "list_kind": dict(ListKind.choices),
    "confidence": dict(CallingRule.Confidence.choices),
    "activities": dict(Activity.choices),
    "sectors": dict(Sector.choices),
    "exemptions": dict(Exemption.choices),
}


def cleaned_hours(text: str) -> str:
    """The hours in their canonical form.

    Errors: `ValidationError` naming the part that was not understood.
    """
    try:
        return hours_text(parse_hours(text))
    except HoursError as error:
        raise ValidationError(
            _("Não se entende “%(part)s”. Escreva como “seg-sex 09:00-18:00”.") % {"part": error}
        ) from error


def _choices(choices: Any) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        choices=[pair for pair in choices if pair[0]], widget=forms.CheckboxSelectMultiple, required=False, coerce=str
    )


class CallingRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rule; what may be several is ticked."""

    activities = _choices(Activity.choices)
    sectors = _choices(Sector.choices)
    exemptions = _choices(Exemption.choices)

    class Meta:
        model = CallingRule
        fields = (
            "name", "code", "level", "severity", "company", "state", "city", "area_codes", "valid_from", "valid_to",
            "activities", "sectors", "exemptions", "is_liftable", "hours", "holidays", "daily_cap", "list_kind",
            "delay_days", "lasts_days", "source", "confidence",
        )  # fmt: skip
        widgets: ClassVar[dict[str, Any]] = {
            "hours": forms.TextInput(attrs={"size": 60}),
            "source": forms.Textarea(attrs={"rows": 2, "cols": 80}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("activities", "sectors", "exemptions"):
            if name in self.fields:
                self.fields[name].label = capfirst(self._meta.model._meta.get_field(name).verbose_name)
                self.fields[name].help_text = (
                    _("Os tipos de ligação que a regra deixa de fora.")
                    if name == "exemptions"
                    else _("Nada marcado: todas.")
                )

    def clean_hours(self) -> str:
        """The hours, understood."""
        return cleaned_hours(self.cleaned_data["hours"])

    def clean(self) -> dict[str, Any]:
        """The rule, whose city needs a state and whose dates must be in order."""
        values = super().clean() or self.cleaned_data
        if values.get("city") and not values.get("state"):
            self.add_error("state", _("Um município fica em um estado."))
        begins, ends = values.get("valid_from"), values.get("valid_to")
        if begins and ends and ends < begins:
            self.add_error("valid_to", _("Precisa ser depois do começo."))
        figures = parameters_of(values)
        if ("calls_per_day" in figures) != ("short_share" in figures):
            missing = "short_share" if "calls_per_day" in figures else "calls_per_day"
            self.add_error(f"{PREFIX}{missing}", _("O limite do dia precisa das chamadas e da parte de curtas."))
        self.instance.parameters = figures
        return values


@admin.register(CallingRule)
class CallingRuleAdmin(SharedRowsAdmin):
    """Calling rules, those of a company and those for all."""

    for_all_help = gettext_lazy("Em branco: vale para todas.")
    form = CallingRuleForm
    list_display = ("name", "where", "what", "lifted", "effect", "validity")
    list_filter = ("level", "state", "severity", "list_kind", "confidence", "company")
    list_select_related = ("company",)
    search_fields = ("name", "code", "source")
    ordering = ("level", "state", "code")
    readonly_fields = ("versions", "figures_told")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "code", ("level", "severity"), "company")}),
        (gettext_lazy("Onde e quando vale"), {"fields": (("state", "city"), "area_codes", ("valid_from", "valid_to"))}),
        (gettext_lazy("Para que ligações"), {"fields": ("activities", "sectors", "exemptions", "is_liftable")}),
        (gettext_lazy("Horário e limite"), {"fields": ("hours", ("holidays", "daily_cap"))}),
        (gettext_lazy("Lista de não ligar"), {"fields": ("list_kind", ("delay_days", "lasts_days"))}),
        (gettext_lazy("De onde vem"), {"fields": ("source", "confidence")}),
        (gettext_lazy("Versões"), {"fields": ("versions",)}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, with a field for each figure that the rule has."""
        fields = parameter_fields(obj.parameters if obj else {})
        return super().get_form(
            request, obj, change, **{**kwargs, "form": type("RuleForm", (self.form,), dict(fields))}
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The rule in parts; its figures to be typed, or to be read by who may not change it."""
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        figures = list(parameter_fields(obj.parameters if obj else {})) if may_write else ["figures_told"]
        limits = (
            gettext_lazy("Limites e outros números"),
            {
                "fields": figures,
                "description": gettext_lazy(
                    "Um limite por dia precisa das chamadas e da parte de curtas; um por mês, só das chamadas. Com o "
                    "efeito “Impede a ligação”, as linhas da empresa param pouco antes dele."
                ),
            },
        )
        return (*self.fieldsets[:5], limits, *self.fieldsets[5:])

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the rule with its next version."""
        store_rule(obj, actor=request.user)  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the rule; its versions stay."""
        delete_rule(obj, actor=request.user)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete them one by one; their versions stay."""
        for rule in queryset:
            self.delete_model(request, rule)

    @admin.display(description=gettext_lazy("onde vale"), ordering="level")
    def where(self, rule: CallingRule) -> str:
        """Whose rule it is, and where."""
        whose = str(rule.company or rule.get_level_display())
        return " · ".join(filter(None, (whose, rule.state, rule.city)))

    @admin.display(description=gettext_lazy("o que diz"))
    def what(self, rule: CallingRule) -> str:
        """What it asks for, in a line."""
        return "; ".join(_clauses(rule)) or "—"

    @admin.display(description=gettext_lazy("o pedido do cliente afasta"), ordering="is_liftable")
    def lifted(self, rule: CallingRule) -> str:
        """Whether a requested callback lifts it."""
        return _("Sim") if rule.is_liftable else "—"

    @admin.display(description=gettext_lazy("números"))
    def figures_told(self, rule: CallingRule) -> str:
        """The rule's figures."""
        return "\n".join(told(rule.parameters)) or "—"

    @admin.display(description=gettext_lazy("efeito"), ordering="severity")
    def effect(self, rule: CallingRule) -> SafeString:
        """What the rule does; nothing, where it only says something."""
        if not any(_clauses(rule)):
            return badge(_("Só informa"))
        return badge(rule.get_severity_display(), tone="warn" if rule.severity == Severity.BLOCK else "")

    @admin.display(description=gettext_lazy("vigência"), ordering="valid_from")
    def validity(self, rule: CallingRule) -> str:
        """From when to when it holds."""
        begins, ends = (f"{day:%d/%m/%Y}" if day else "…" for day in (rule.valid_from, rule.valid_to))
        return "—" if begins == ends == "…" else f"{begins} – {ends}"

    @admin.display(description=gettext_lazy("versões"))
    def versions(self, rule: CallingRule) -> SafeString | str:
        """Who changed the rule, when, and what it said before."""
        if rule.pk is None:
            return "—"
        kept = CallingRuleVersion.objects.filter(rule_id=rule.pk).select_related("actor").order_by("-id")
        found = list(kept[: _TOLD_VERSIONS + 1])
        lines = [
            (one.revision, absolute(one.at), one.actor or _("sistema"), _difference(older.fields, one.fields))
            for one, older in zip(found, found[1:], strict=False)
        ]
        if not lines:
            return _("Nunca foi alterada.")
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}, {}: {}</li>", lines))


@admin.register(OwnHoliday)
class OwnHolidayAdmin(VocabularyAdmin):
    """Holidays that the law's tables don't have, and those of theirs that are none here."""

    empty_text = gettext_lazy("Nenhum feriado próprio: valem os nacionais e os estaduais da lei.")
    list_display = ("on", "name", "state", "city", "is_working_day")
    list_filter = ("state", "is_working_day")
    search_fields = ("name", "city")
    date_hierarchy = "on"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store it; the rules are read anew."""
        super().save_model(request, obj, form, change)
        mark_changed()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it; the rules are read anew."""
        super().delete_model(request, obj)
        mark_changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete them; the rules are read anew."""
        super().delete_queryset(request, queryset)
        mark_changed()


class ContactPreferenceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What one person said; the number is typed once and only its digest is kept."""

    phone = NumberField()

    class Meta:
        model = ContactPreference
        fields = ("company", "state", "city", "time_zone", "hours", "daily_cap", "told_at", "told_how")
        help_texts: ClassVar[dict[str, Any]] = {
            "state": gettext_lazy("Em branco: o do DDD."),
            "time_zone": gettext_lazy("Em branco: o do DDD. Por exemplo America/Manaus."),
            "hours": gettext_lazy("Por exemplo “seg-sex 18:00-20:00”, na hora da pessoa. Em branco: qualquer hora."),
            "daily_cap": gettext_lazy("Em branco: o que as regras deixam; 0 = nunca ligar."),
            "told_how": gettext_lazy("Por exemplo: por telefone, à atendente; por e-mail."),
        }

    def clean_hours(self) -> str:
        """The hours, understood."""
        return cleaned_hours(self.cleaned_data["hours"])

    def clean(self) -> dict[str, Any]:
        """The preference, of which a person has one for a company."""
        values = super().clean() or self.cleaned_data
        if phone := values.get("phone"):
            self.instance.number_digest = number_digest(phone)
            same = ContactPreference.objects.filter(
                number_digest=self.instance.number_digest, company=values.get("company")
            )
            if same.exclude(pk=self.instance.pk).exists():
                self.add_error("phone", _("Este número já tem uma preferência nesta empresa."))
        return values


@admin.register(ContactPreference)
class ContactPreferenceAdmin(CompanyScopedAdmin):
    """What single people told a company: where they live, when and how often they may be called."""

    form = ContactPreferenceForm
    list_display = ("__str__", "company", "state", "city", "hours", "daily_cap", "told_at")
    list_filter = ("company", "state")
    search_fields = ("told_how",)
    search_help_text = gettext_lazy("Número inteiro, ou como foi dito")
    fixed_fields = ("company",)
    empty_text = gettext_lazy(
        "Nenhuma preferência ainda. Anote aqui onde alguém mora, ou quando e quantas vezes quer ser chamado."
    )
    fields = ("company", "phone", ("state", "city"), "time_zone", "hours", "daily_cap", "told_at", "told_how")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields; the number is asked for once, and can't be shown afterwards."""
        return [name for name in self.fields if obj is None or name != "phone"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, without the number for one that exists."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None:
            form.base_fields.pop("phone", None)
        return form

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those of that number, or told that way."""
        return by_number(queryset, search_term) or super().get_search_results(request, queryset, search_term)


def by_number(queryset: QuerySet[Any], text: str) -> tuple[QuerySet[Any], bool] | None:
    """The rows of the number that was typed; None when the text is no number."""
    try:
        phone = NumberField(required=False).clean(text)
    except ValidationError:
        return None
    return (queryset.filter(number_digest=number_digest(phone)), False) if phone else None


def _clauses(rule: CallingRule) -> list[str]:
    """What the rule asks for, part by part; none for one that is only worth knowing."""
    found = [rule.hours] if rule.hours else []
    if rule.holidays == Holidays.CLOSED:
        found.append(_("não em feriados"))
    if rule.daily_cap is not None:
        text = ngettext("%(count)s ligação por dia", "%(count)s ligações por dia", rule.daily_cap)
        found.append(text % {"count": rule.daily_cap})
    if rule.list_kind:
        listed = str(rule.get_list_kind_display())
        if rule.delay_days:
            days = ngettext("%(list)s, %(count)s dia depois", "%(list)s, %(count)s dias depois", rule.delay_days)
            listed = days % {"list": listed, "count": rule.delay_days}
        found.append(listed)
    limit = limit_of(rule.pk, rule.name, rule.parameters)
    if limit is not None:
        calls = number_format(limit.calls, force_grouping=True)
        text = _("%(calls)s chamadas por dia") if limit.is_daily else _("%(calls)s chamadas por mês")
        found.append(text % {"calls": calls})
    return found


def _difference(older: dict[str, Any], newer: dict[str, Any]) -> str:
    """What changed between two versions, for people."""
    names = {field.attname: str(field.verbose_name) for field in CallingRule._meta.concrete_fields}
    changed = [
        f"{names.get(name, name)}: {_as_read(name, older.get(name))} → {_as_read(name, value)}"
        for name, value in newer.items()
        if older.get(name) != value
    ]
    return "; ".join(changed) or "—"


def _as_read(name: str, value: Any) -> str:
    """A kept value of a rule's column as its form shows it."""
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    if name == "parameters":
        return ", ".join(told(value or {})) or "—"
    if isinstance(value, list):
        return ", ".join(str(_LABELS.get(name, {}).get(one, one)) for one in value) or "—"
    return str(_LABELS.get(name, {}).get(value, value) if value else value or "—")
