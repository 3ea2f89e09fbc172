"""Changing calling rules: each change leaves a version, and every process reads the rules anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from telephony.models import CallingRule, CallingRuleVersion
from telephony.services.rule_snapshot import mark_changed

if TYPE_CHECKING:
    from callcenter.accounts.models import User


def store_rule(rule: CallingRule, *, actor: User | None) -> CallingRule:
    """The rule, stored with its next revision; what it said before and says now stays readable.

    Effects: one transaction; one or two versions; every process reads the rules anew.
    """
    with transaction.atomic():
        before = CallingRule.objects.filter(pk=rule.pk).first()
        if before is not None:
            # The rules that came with the installation have no version of their first state.
            if not CallingRuleVersion.objects.filter(rule_id=before.pk, revision=before.revision).exists():
                _keep(before, actor=None)
            rule.revision = before.revision + 1
        rule.save()
        _keep(rule, actor=actor)
        mark_changed()
    return rule


def delete_rule(rule: CallingRule, *, actor: User | None) -> None:
    """Nothing; the rule is gone, what it said stays among the versions.

    Effects: one transaction; one version; every process reads the rules anew.
    """
    with transaction.atomic():
        _keep(rule, actor=actor, is_deletion=True)
        rule.delete()
        mark_changed()


def _keep(rule: CallingRule, *, actor: User | None, is_deletion: bool = False) -> None:
    CallingRuleVersion.objects.create(
        rule_id=rule.pk,
        revision=rule.revision,
        at=timezone.now(),
        actor=actor,
        is_deletion=is_deletion,
        fields=_fields(rule),
    )


def _fields(rule: CallingRule) -> dict[str, Any]:
    names = [field.attname for field in rule._meta.concrete_fields if field.name not in {"id", "revision"}]
    plain: dict[str, Any] = json.loads(json.dumps({name: getattr(rule, name) for name in names}, cls=DjangoJSONEncoder))
    return plain
