"""Decisions of the calling rules as staff read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from telephony.models import CallingRule, CallingRuleVersion
from telephony.rule_terms import Effect, Ground

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Told:
    """One objection: on which ground, by which rule, and what becomes of it (`effect` is an `Effect`)."""

    ground: str
    rule: str
    effect: str
    effect_text: str


def told(record: Mapping[str, Any] | None) -> list[Told]:
    """Every objection of a kept decision, those lifted included. One query, two when a rule is gone."""
    objections = (record or {}).get("objections", [])
    names = _names({rule_id for rule_id, *_rest in objections})
    return [
        Told(
            ground=str(Ground(ground).label),
            rule=names.get(rule_id, _("regra excluída")) if rule_id else _("o que o contato pediu, ou as listas"),
            effect=effect,
            effect_text=str(Effect(effect).label),
        )
        for rule_id, _revision, ground, effect in objections
    ]


def _names(rule_ids: set[int]) -> dict[int, str]:
    wanted = {rule_id for rule_id in rule_ids if rule_id}
    if not wanted:
        return {}
    names = dict(CallingRule.objects.filter(pk__in=wanted).values_list("pk", "name"))
    if missing := wanted - names.keys():
        gone = CallingRuleVersion.objects.filter(rule_id__in=missing).order_by("id")
        names |= {one.rule_id: one.fields.get("name", "") for one in gone}
    return names
