"""Why a request is not dialed, as far as telephony knows: its number, the calling rules, and its company's lines."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from requests_app.data import LineStanding, Reason
from telephony.models import CallAttempt, DialerLine
from telephony.services.permission import Number, judged, purpose_of
from telephony.services.policy import allowances
from telephony.states import OPEN, LineHold

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from requests_app.models import CallRequest

# What passes by itself; what stands before it in the table asks for a person.
_PASSING: Final = LineHold.values[LineHold.values.index(LineHold.NO_ATTENDANT) :]


def reasons_of(call_request: CallRequest, now: datetime) -> list[Reason]:
    """What stands against dialing an open request now, the binding reason first; empty when a line may dial it.

    What will have passed by the time it is due is left out. At most eighteen queries, for one request's page.
    """
    is_due = call_request.due_at is not None and call_request.due_at <= now
    lines = list(_lines(call_request.company_id))
    if not lines:
        return [Reason(LineHold.NO_LINE.value, str(LineHold.NO_LINE.label), needs_person=True)]
    found = allowances(lines, now=now)
    # The line that a person need do the least about speaks for all; it alone says when, and whether somebody must act.
    ranked = sorted(lines, key=lambda line: LineHold.values.index(found[line.pk].hold), reverse=True)
    best = found[ranked[0].pk]
    if any(allowance.calls for allowance in found.values()) or (not is_due and best.hold in _PASSING):
        of_lines = []
    else:
        of_lines = [
            Reason(
                found[line.pk].hold.value,
                f"{line}: {found[line.pk].explanation}",
                until=best.until if line is ranked[0] else None,
                needs_person=line is ranked[0] and best.hold not in _PASSING,
            )
            for line in ranked
        ]
    return [*_of_number(call_request, ranked, is_due=is_due, now=now), *of_lines]


def standings(company_ids: Collection[int], now: datetime) -> dict[int, list[LineStanding]]:
    """How each line of these companies is doing now, by company. Ten queries, however many lines."""
    lines = list(_lines(*company_ids).order_by("company_id", "name", "pk"))
    found = allowances(lines, now=now)
    by_company: dict[int, list[LineStanding]] = defaultdict(list)
    for line in lines:
        allowance = found[line.pk]
        by_company[line.company_id].append(
            LineStanding(
                name=str(line),
                reason=allowance.explanation or str(LineHold.NONE.label),
                rank=LineHold.values.index(allowance.hold),
                may_dial=not allowance.hold,
                needs_person=bool(allowance.hold) and allowance.hold not in _PASSING,
                url=reverse("admin:telephony_dialerline_change", args=[line.pk]),
            )
        )
    return dict(by_company)


def _of_number(call_request: CallRequest, lines: Sequence[DialerLine], *, is_due: bool, now: datetime) -> list[Reason]:
    """What the number itself stands for: it is in another call, or the calling rules are against it."""
    if not is_due or not call_request.phone_e164:
        return []
    reasons = []
    others = CallAttempt.objects.filter(phone_e164=call_request.phone_e164, state__in=OPEN)
    if others.exclude(call_request_id=call_request.pk).exists():
        reasons.append(Reason("number_in_call", _("O mesmo número está em outra chamada")))
    number = [Number(call_request.phone_e164, call_request.pk)]
    # What one line may not call, another that calls for something else may.
    purposes = {purpose_of(line): line for line in [one for one in lines if one.is_enabled] or lines}
    found = [judged(number, line=line, now=now)[0] for line in purposes.values()]
    verdict = min(found, key=lambda one: (one.next_at is None, one.next_at or now))
    if not verdict.is_allowed:
        hold = verdict.hold
        reasons.append(Reason(hold.value, str(hold.label), until=verdict.next_at, needs_person=verdict.next_at is None))
    return reasons


def _lines(*company_ids: int) -> QuerySet[DialerLine]:
    return (
        DialerLine.objects.filter(company_id__in=company_ids)
        .defer(*DialerLine.SECRET_FIELDS)
        .select_related("company", "event_channel")
        .prefetch_related("opening_hours")
    )
