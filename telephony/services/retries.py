"""When a request is tried again after an outcome, by the rules that staff edit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from telephony.models import CallAttempt
from telephony.selectors import retry_rule
from telephony.states import AttemptState

if TYPE_CHECKING:
    from datetime import datetime

    from requests_app.states import Outcome

NOT_SENT_FIRST_WAIT: Final = timedelta(seconds=30)
NOT_SENT_LONGEST_WAIT: Final = timedelta(minutes=15)


def next_try_at(attempt: CallAttempt, *, outcome: Outcome, now: datetime) -> datetime | None:
    """When to call again after this attempt ended in `outcome`; None = never (out of tries, or no rule allows it).

    Counts the request's attempts that ended in this outcome, this one included. Two queries.
    """
    rule = retry_rule(attempt.company_id, outcome=outcome)
    if rule is None:
        return None
    tries = CallAttempt.objects.filter(
        call_request_id=attempt.call_request_id, state=AttemptState.ENDED, outcome=outcome
    ).count()
    return now + timedelta(seconds=rule.wait_seconds) if tries < rule.max_tries else None


def wait_after_not_sent(attempt: CallAttempt, *, now: datetime) -> datetime:
    """When to call again after an attempt that never left: 30 s, doubled with each one in a row, 15 minutes at most."""
    states = CallAttempt.objects.filter(call_request_id=attempt.call_request_id, number__lt=attempt.number)
    in_a_row = 0
    for state in states.order_by("-number").values_list("state", flat=True)[:5]:
        if state != AttemptState.RELEASED:
            break
        in_a_row += 1
    wait: timedelta = min(NOT_SENT_FIRST_WAIT * 2**in_a_row, NOT_SENT_LONGEST_WAIT)
    return now + wait
