"""The rules, our own holidays and the lists as every process holds them, read anew when somebody changed one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.db import transaction

from callcenter.lib.number_digests import key_check
from telephony import rulebook
from telephony.models import CallingRule, DoNotCallList, OwnHoliday, RuleBookStamp
from telephony.rule_terms import Severity
from telephony.rulebook import Rule, RuleBook
from telephony.weekly_hours import parse_hours

if TYPE_CHECKING:
    from collections.abc import Mapping

_lock: Final = Lock()
_held: dict[str, Snapshot] = {}


@dataclass(frozen=True)
class KnownList:
    """One list in use: what it is, and whose (None = everybody's)."""

    kind: str
    company_id: int | None


@dataclass(frozen=True)
class Snapshot:
    """What decisions are made from. `lists_readable` False = a list's digests were made with another key."""

    book: RuleBook
    lists: Mapping[int, KnownList]
    lists_readable: bool


def current_snapshot() -> Snapshot:
    """The rules as they are now. One query, four when something changed since this process asked last."""
    return snapshot_of(RuleBookStamp.objects.values_list("token", flat=True).first())


def snapshot_of(token: uuid.UUID | str | None) -> Snapshot:
    """The rules that go with this token, which the caller has just read; none is kept without a token."""
    name = str(uuid.UUID(str(token))) if token else ""
    known = _held.get(name)
    if known is None:
        known = _read()
        if name:
            with _lock:
                _held.clear()
                _held[name] = known
    return known


def mark_changed() -> None:
    """Make every process read rules, holidays and lists anew; call it in the transaction of the change."""
    with transaction.atomic():
        if not RuleBookStamp.objects.update(token=uuid.uuid4()):
            RuleBookStamp.objects.create()


def rule_of(row: CallingRule) -> Rule:
    """A stored rule as the decision takes it.

    Errors: `HoursError` when its hours can't be read.
    """
    return Rule(
        id=row.pk,
        revision=row.revision,
        level=row.level,
        company_id=row.company_id,
        state=row.state,
        city=row.city,
        area_codes=frozenset(row.area_codes.split()),
        activities=frozenset(row.activities),
        sectors=frozenset(row.sectors),
        exemptions=frozenset(row.exemptions),
        hours=parse_hours(row.hours),
        holidays=row.holidays,
        daily_cap=row.daily_cap,
        list_kind=row.list_kind,
        delay_days=row.delay_days,
        lasts_days=row.lasts_days,
        is_liftable=row.is_liftable,
        blocks=row.severity == Severity.BLOCK,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _read() -> Snapshot:
    lists = list(DoNotCallList.objects.filter(is_active=True))
    return Snapshot(
        book=RuleBook(
            rules=tuple(rule_of(row) for row in CallingRule.objects.order_by("pk")),
            own_holidays=tuple(
                rulebook.OwnHoliday(row.on, row.state, row.city, row.is_working_day)
                for row in OwnHoliday.objects.order_by("pk")
            ),
        ),
        lists={row.pk: KnownList(row.kind, row.company_id) for row in lists},
        lists_readable=all(row.key_check == key_check() for row in lists),
    )
