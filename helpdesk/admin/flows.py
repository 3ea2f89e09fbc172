"""The admin of the bot's flows: the steps on the flow's page, their options on the step's, and a preview on both."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, without_related_links
from helpdesk.admin.scoped import OfOneCompany
from helpdesk.flows import Ending, Why, problems
from helpdesk.models import Atendimento, BotFlow, Contact, FlowOption, FlowStep
from helpdesk.selectors.canned import filled_in
from helpdesk.selectors.flows import flow_of, flow_preview
from helpdesk.states import FlowAction

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

# Answers that a preview takes.
_MOST_ANSWERS: Final = 20
_ENDINGS: Final = {
    Ending.HAND_OVER: gettext_lazy("O bot passa a uma pessoa."),
    Ending.CLOSE: gettext_lazy("O bot encerra o atendimento."),
}
_WHYS: Final = {
    Why.CHOSEN: gettext_lazy("assim está no fluxo"),
    Why.ASKED: gettext_lazy("o solicitante pediu uma pessoa"),
    Why.ANSWERED: gettext_lazy("a pergunta aberta foi respondida"),
    Why.NOT_UNDERSTOOD: gettext_lazy("o bot não entendeu"),
    Why.BROKEN: gettext_lazy("o fluxo está quebrado neste ponto"),
}
_PROBLEMS: Final = {
    "no_first": gettext_lazy("O fluxo não tem primeiro passo."),
    "missing_step": gettext_lazy("leva a um passo que não é deste fluxo."),
    "circle": gettext_lazy("anda em círculo sem esperar resposta."),
    "same_key": gettext_lazy("tem duas opções com o mesmo número."),
    "unreachable": gettext_lazy("não é alcançado por nenhuma opção."),
}


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    """One step; going on needs somewhere to go."""

    class Meta:
        model = FlowStep
        fields: ClassVar[tuple[str, ...]] = ("position", "title", "text", "after", "next_step", "team")
        widgets: ClassVar[dict[str, Any]] = {"text": forms.Textarea(attrs={"rows": 3, "cols": 40})}

    def clean(self) -> dict[str, Any]:
        """The values."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("after") == FlowAction.STEP and values.get("next_step") is None:
            self.add_error("next_step", _("Escolha o próximo passo."))
        return values


class StepInline(admin.TabularInline):  # type: ignore[type-arg]
    """The steps of a flow."""

    model = FlowStep
    fk_name = "flow"
    form = StepForm
    extra = 0
    ordering = ("position",)
    fields = ("position", "title", "text", "after", "next_step", "team", "option_list")
    readonly_fields = ("option_list",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The steps with their options."""
        return super().get_queryset(request).prefetch_related("options")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices: steps of this flow, teams of its company."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        flow_id = (request.resolver_match.kwargs if request.resolver_match else {}).get("object_id")
        return _within_flow(field, db_field.name, BotFlow.objects.filter(pk=flow_id).first() if flow_id else None)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form field, without the icons that change or remove the related row."""
        return without_related_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    @admin.display(description=gettext_lazy("opções"))
    def option_list(self, step: FlowStep) -> SafeString | str:
        """What the step understands, and the way to where it is changed."""
        if step.pk is None or step._state.adding:
            return _("Grave o passo para lhe dar opções.")
        lines = format_html_join("", "<li>{} · {}</li>", ((one.position, one.label) for one in step.options.all()))
        url = reverse("admin:helpdesk_flowstep_change", args=[step.pk])
        return format_html('<ul class="option-list">{}</ul><a href="{}">{}</a>', lines, url, _("Editar opções"))


class OptionInline(admin.TabularInline):  # type: ignore[type-arg]
    """The options of a step."""

    model = FlowOption
    fk_name = "step"
    extra = 0
    ordering = ("position",)
    fields = ("position", "label", "keywords", "action", "next_step", "team")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form field, without the icons that change or remove the related row."""
        return without_related_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices: steps of this flow, teams of its company."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        step_id = (request.resolver_match.kwargs if request.resolver_match else {}).get("object_id")
        step = FlowStep.objects.select_related("flow").filter(pk=step_id).first() if step_id else None
        return _within_flow(field, db_field.name, step.flow if step is not None else None)


def _within_flow(field: Any, name: str, flow: BotFlow | None) -> Any:
    if field is None or name not in {"next_step", "team", "first_step"}:
        return field
    for attribute in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
        setattr(field.widget, attribute, False)
    if flow is None:
        field.queryset = field.queryset.none()
    elif name == "team":
        field.queryset = field.queryset.filter(company_id=flow.company_id)
    else:
        field.queryset = field.queryset.filter(flow=flow)
    return field


class BotFlowForm(OfOneCompany):
    """One flow."""

    class Meta:
        model = BotFlow
        fields: ClassVar[tuple[str, ...]] = ()


class Previewed(CompanyScopedAdmin):
    """An admin below whose form a flow is tried out."""

    change_form_template = "admin/helpdesk/botflow/change_form.html"

    @abstractmethod
    def flow_to_try(self, row: Any) -> BotFlow:
        """The flow that the row is, or belongs to."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form, and the conversation that a requester with the typed answers would have."""
        row = self.get_object(request, object_id)
        context = {} if row is None else preview_context(self.flow_to_try(row), request.GET.get("respostas", ""))
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def preview_context(bot_flow: BotFlow, typed: str) -> dict[str, Any]:
    """What the preview shows: the conversation with these answers, one a line, and what is wrong with the flow."""
    answers = [line.strip() for line in typed.splitlines() if line.strip()][:_MOST_ANSWERS]
    steps = {step.pk: step.title for step in bot_flow.steps.all()}
    asker = Contact(company=bot_flow.company, name="Maria Silva")
    sample = Atendimento(company=bot_flow.company, contact=asker, company_number=1)

    def said(text: str) -> str:
        return filled_in(text, sample, now=timezone.now())

    wrong = [
        f"{steps[key]}: {_PROBLEMS[code]}" if key in steps else str(_PROBLEMS[code])
        for key, code in problems(flow_of(bot_flow))
    ]
    lines = [
        {
            "is_bot": line.is_bot,
            "text": said(line.text),
            "ending": _ENDINGS.get(line.ending, ""),
            "why": _WHYS.get(line.why),
        }
        for line in (flow_preview(bot_flow, answers) if bot_flow.first_step_id else [])
    ]
    return {"preview_lines": lines, "preview_answers": "\n".join(answers), "flow_problems": wrong, "is_tried": True}


@admin.register(BotFlow)
class BotFlowAdmin(Previewed):
    """Flows."""

    form = BotFlowForm
    list_display = ("title", "company", "step_count", "is_active")
    list_filter = ("company", "is_active")
    list_select_related = ("company",)
    search_fields = ("title",)
    ordering = ("title",)
    fields = ("company", "title", "first_step", ("not_understood", "misses_allowed"), "handover_text", "is_active")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    inlines = (StepInline,)

    def flow_to_try(self, row: BotFlow) -> BotFlow:
        """The flow."""
        return row

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The flows with their length."""
        counted: QuerySet[Any] = super().get_queryset(request).annotate(steps_in_all=Count("steps", distinct=True))
        return counted

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices; the first step is one of this flow's."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        flow_id = (request.resolver_match.kwargs if request.resolver_match else {}).get("object_id")
        return _within_flow(field, db_field.name, BotFlow.objects.filter(pk=flow_id).first() if flow_id else None)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write the steps, which are the flow's company's; the first one written begins a flow without a beginning."""
        for step in formset.save(commit=False):
            step.company_id = form.instance.company_id
            step.save()
        for step in formset.deleted_objects:
            step.delete()
        flow = form.instance
        if flow.first_step_id is None and (first := flow.steps.order_by("position").first()) is not None:
            BotFlow.objects.filter(pk=flow.pk, first_step=None).update(first_step=first)

    @admin.display(description=gettext_lazy("passos"), ordering="steps_in_all")
    def step_count(self, flow: Any) -> int:
        """How many steps it has."""
        return int(flow.steps_in_all)


@admin.register(FlowStep)
class FlowStepAdmin(Previewed):
    """Steps with their options; a step is made on its flow's page."""

    form = StepForm
    list_display = ("title", "flow", "position", "after", "company")
    list_filter = ("company", "flow")
    list_select_related = ("company", "flow")
    search_fields = ("title", "text")
    ordering = ("flow__title", "position")
    fields = ("flow", "position", "title", "text", "after", "next_step", "team")
    readonly_fields = ("flow",)
    inlines = (OptionInline,)

    def flow_to_try(self, row: FlowStep) -> BotFlow:
        """The flow of the step."""
        return row.flow

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: steps are added to their flow."""
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices: steps of this flow, teams of its company."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        step_id = (request.resolver_match.kwargs if request.resolver_match else {}).get("object_id")
        step = FlowStep.objects.select_related("flow").filter(pk=step_id).first() if step_id else None
        return _within_flow(field, db_field.name, step.flow if step is not None else None)
