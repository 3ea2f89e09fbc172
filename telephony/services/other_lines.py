"""Calls that one line may not make: whether another line of the company, which calls for something else, may."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from requests_app.states import Hold
from telephony.models import DialerLine
from telephony.services.permission import purpose_of, verdicts
from telephony.services.policy import next_opening_of, standing_hold
from telephony.states import LineHold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from requests_app.data import DueRequest
    from telephony.rulebook import Purpose
    from telephony.services.permission import Verdict

# When nobody knows how long the line that may call is out of order.
LOOK_AGAIN: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Wait:
    """Until when a request waits for any line of its company, and for what; `until` None = for a person.

    An instant that has come: another line may call it now.
    """

    until: datetime | None
    hold: Hold


def waits_of(
    refused: Sequence[DueRequest], *, verdicts_here: Mapping[int, Verdict], line: DialerLine, now: datetime
) -> dict[int, Wait]:
    """How long each of these requests, which the line may not call now, waits for the first line that may.

    One query, and the rules' for each other purpose that the company's enabled lines have.
    """
    found = {one.id: Wait(verdicts_here[one.id].next_at, verdicts_here[one.id].hold) for one in refused}
    if not refused:
        return found
    for lines in _of_other_purpose(line).values():
        opens = min(_opens(other, now=now) for other in lines)
        for request_id, verdict in verdicts(refused, line=lines[0], now=now).items():
            if verdict.next_at is not None:
                found[request_id] = _sooner(found[request_id], max(verdict.next_at, opens), verdict)
    return found


def _sooner(known: Wait, until: datetime, verdict: Verdict) -> Wait:
    if known.until is not None and known.until <= until:
        return known
    # Where it may be called, its line is closed: hours, too, and nothing that a person must see to.
    return Wait(until, verdict.hold or Hold.CALLING_HOURS)


def _of_other_purpose(line: DialerLine) -> Mapping[Purpose, list[DialerLine]]:
    others = DialerLine.objects.filter(company_id=line.company_id, is_enabled=True).exclude(pk=line.pk)
    rows: Iterable[DialerLine] = (
        others.defer(*DialerLine.SECRET_FIELDS)
        .select_related("company", "event_channel")
        .prefetch_related("opening_hours")
        .order_by("pk")
    )
    found: dict[Purpose, list[DialerLine]] = defaultdict(list)
    for other in rows:
        if (purpose := purpose_of(other)) != purpose_of(line):
            found[purpose].append(other)
    return found


def _opens(line: DialerLine, *, now: datetime) -> datetime:
    """When the line may dial, as far as is known."""
    hold = standing_hold(line, now=now)
    if hold == LineHold.LIMIT and line.limited_until is not None:
        return line.limited_until
    return now + LOOK_AGAIN if hold else next_opening_of(line, at=now) or now + LOOK_AGAIN
