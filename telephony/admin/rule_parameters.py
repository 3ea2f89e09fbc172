"""The figures of a calling rule as fields of a form: each by its name and in people's units, no JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "figure_"

# In the order in which a form shows them; a share is typed and shown in percent.
_LABELS: Final = {
    "calls_per_day": gettext_lazy("Chamadas por dia (da empresa)"),
    "short_share": gettext_lazy("Parte de chamadas curtas (%)"),
    "short_seconds": gettext_lazy("Curta até (segundos)"),
    "calls_per_month": gettext_lazy("Chamadas por mês (da empresa)"),
    "warn_at": gettext_lazy("Avisar a partir de (% do limite)"),
    "hold_at": gettext_lazy("Parar de discar a partir de (% do limite)"),
    "authenticated_count": gettext_lazy("Chamadas autenticadas contam como curtas"),
    "voicemail_counts_up_to_seconds": gettext_lazy("Caixa postal conta até (segundos)"),
    "block_days": gettext_lazy("Bloqueio pela operadora (dias)"),
    "blocked_firms": gettext_lazy("Empresas já bloqueadas"),
    "largest_fine_brl": gettext_lazy("Maior multa (R$)"),
    "prefix": gettext_lazy("Prefixo"),
    "keep_recordings_days": gettext_lazy("Guardar gravações (dias)"),
    "answer_days": gettext_lazy("Prazo de resposta (dias)"),
    "human_hours_per_day": gettext_lazy("Atendimento humano (horas por dia)"),
    "abandoned_share": gettext_lazy("Parte de chamadas abandonadas (%)"),
    "window_days": gettext_lazy("Período (dias)"),
    "greeting_seconds": gettext_lazy("Tempo até a saudação (segundos)"),
    "ring_seconds": gettext_lazy("Toque mínimo (segundos)"),
    "redial_hours": gettext_lazy("Espera para ligar de novo (horas)"),
}
# What a rule may be given that has none of them yet.
_LIMITS: Final = ("calls_per_day", "short_share", "short_seconds", "calls_per_month", "warn_at", "hold_at")
_SHARES: Final = frozenset({"short_share", "abandoned_share", "warn_at", "hold_at"})


def parameter_fields(parameters: Mapping[str, Any]) -> dict[str, forms.Field]:
    """A form's fields for the figures that the rule has, and for those that make it a limit; by their names there."""
    names = [name for name in _LABELS if name in parameters or name in _LIMITS]
    names += [name for name in parameters if name not in _LABELS]
    return {f"{PREFIX}{name}": _field(name, parameters.get(name)) for name in names}


def parameters_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The figures as they are stored, of a form's cleaned values; what was left empty is left out."""
    found = {name.removeprefix(PREFIX): value for name, value in values.items() if name.startswith(PREFIX)}
    return {name: value / 100 if name in _SHARES else value for name, value in found.items() if value not in {None, ""}}


def told(parameters: Mapping[str, Any]) -> list[str]:
    """The figures as staff read them: one line each."""
    return [f"{_LABELS.get(name, name)}: {_shown(name, value)}" for name, value in parameters.items()]


def _field(name: str, value: Any) -> forms.Field:
    label: Any = _LABELS.get(name, name)
    if isinstance(value, bool):
        return forms.BooleanField(label=label, required=False, initial=value)
    if name in _SHARES:
        initial = None if value is None else round(float(value) * 100, 4)
        return forms.FloatField(label=label, required=False, min_value=0, max_value=100, initial=initial)
    if value is None or isinstance(value, int):
        return forms.IntegerField(label=label, required=False, min_value=0, initial=value)
    if isinstance(value, float):
        return forms.FloatField(label=label, required=False, initial=value)
    return forms.CharField(label=label, required=False, initial=value, max_length=200)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    if name in _SHARES:
        return number_format(round(float(value) * 100, 4))
    return number_format(value, force_grouping=True) if isinstance(value, int) else str(value)
