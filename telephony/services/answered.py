"""Answered calls brought to the helpdesk: their conversation, and the callback where one dropped.

News only notes that there is something to do (`note_answered`, in its own transaction); a job does it (`tie_calls`), so
that no batch of news waits for the helpdesk's numbers, and a failure there loses nothing.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When

from callcenter.lib.database import serialize
from callcenter.lib.errors import DomainError
from helpdesk.services.phone_calls import companies_with_telephone
from telephony.models import AnsweredCall, DialerLine
from telephony.services.conversations import open_for_answered
from telephony.services.drops import CARRIERS_MOMENT, follow_drop

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

log = logging.getLogger(__name__)

# So many a round; the rest is a round later.
BATCH: Final = 200
LONGEST_PAUSE: Final = timedelta(minutes=15)


def note_answered(calls: Mapping[int, int], *, now: datetime) -> None:
    """Nothing; the helpdesk is to be told of these answered calls (attempt id → company id), as they are by then.

    Effects: one query, and one INSERT where a company leads conversations on the telephone; within a transaction that
    holds the attempts.
    """
    telephones = companies_with_telephone(calls.values()) if calls else set()
    rows = [
        AnsweredCall(attempt_id=attempt_id, company_id=company_id, token=uuid.uuid4(), due_at=now)
        for attempt_id, company_id in sorted(calls.items())
        if company_id in telephones
    ]
    if rows:
        AnsweredCall.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["attempt"], update_fields=["token", "due_at"]
        )


def tie_calls(*, now: datetime) -> int:
    """How many answered calls were brought to the helpdesk. Safe to repeat, and for several to run at once.

    Effects: two transactions a call, so that one that fails stops no other; it is tried again, later each time.
    """
    due = AnsweredCall.objects.filter(due_at__lte=now).order_by("due_at")
    return sum(_tie(attempt_id, now=now) for attempt_id in list(due.values_list("pk", flat=True)[:BATCH]))


def _tie(attempt_id: int, *, now: datetime) -> bool:
    try:
        if not _open(attempt_id, now=now):
            return False
        _settle(attempt_id, now=now)
    except DomainError as error:
        log.warning("attempt %s: the helpdesk did not take the call (%s)", attempt_id, error.code)
        AnsweredCall.objects.filter(pk=attempt_id).update(due_at=None, problem=error.code[:32])
        return False
    except Exception:
        log.exception("attempt %s: the helpdesk could not be told of the call; it is tried again", attempt_id)
        _put_off(attempt_id, now=now)
        return False
    return True


@transaction.atomic
def _open(attempt_id: int, *, now: datetime) -> bool:
    """Whether the call is still to be told of; it has its conversation, unless its request was deleted."""
    call = _one_at_a_time(attempt_id)
    if call is None or call.due_at is None or call.due_at > now:
        return False
    if call.atendimento_id is None and (opened := open_for_answered(call.attempt, now=now)) is not None:
        AnsweredCall.objects.filter(pk=attempt_id).update(atendimento_id=opened.pk, protocol=opened.protocol)
    return True


@transaction.atomic
def _settle(attempt_id: int, *, now: datetime) -> None:
    """Do what follows from the call's end, and say that all is done, unless there was more news meanwhile."""
    call = _one_at_a_time(attempt_id)
    if call is None or call.due_at is None:
        return
    changes: dict[str, Any] | None = follow_drop(call, now=now) if not call.after else {}
    next_look = None if changes is not None else now + CARRIERS_MOMENT
    mine = When(token=call.token, then=Value(next_look, output_field=DateTimeField(null=True)))
    due_at = Case(mine, default=F("due_at"), output_field=DateTimeField(null=True))
    # The last statement: whoever brings news waits for this row no longer than for the commit.
    AnsweredCall.objects.filter(pk=attempt_id).update(due_at=due_at, tries=0, problem="", **(changes or {}))


def _one_at_a_time(attempt_id: int) -> AnsweredCall | None:
    """The call as it is, for one job at a time; its row is not locked, since news write it under other locks."""
    serialize(f"answered-call:{attempt_id}")
    rows = AnsweredCall.objects.select_related("attempt__line", "attempt__call_request")
    line_secrets = [f"attempt__line__{name}" for name in DialerLine.SECRET_FIELDS]
    return rows.defer(*line_secrets).filter(pk=attempt_id).first()


def _put_off(attempt_id: int, *, now: datetime) -> None:
    tries = AnsweredCall.objects.filter(pk=attempt_id).values_list("tries", flat=True).first() or 0
    pause = min(timedelta(seconds=2 ** min(tries, 12)), LONGEST_PAUSE)
    AnsweredCall.objects.filter(pk=attempt_id).update(
        due_at=now + pause, tries=min(tries + 1, 1000), problem="internal_error"
    )
