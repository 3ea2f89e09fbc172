"""Calls that customers make to us: whoever was talked to need not be called back as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests_app.services import calls
from requests_app.states import Reach
from telephony.models import CallAttempt
from telephony.states import AWAITING_NEWS, Meaning

if TYPE_CHECKING:
    from datetime import datetime

    from telephony.models import ProviderEvent


def customer_called(event: ProviderEvent, *, origin_e164: str, now: datetime) -> bool:
    """Whether the event tells of an answered call from a customer, and an open request of theirs was closed or put off.

    While a call of ours to that number is out it may be that call, told with its ends swapped: then it is left for
    later. Two queries for a company that wants nothing of it, or a number without a request.
    """
    if event.meaning != Meaning.ANSWERED or not origin_e164 or origin_e164 == event.phone_e164:
        return False
    ours = CallAttempt.objects.filter(company_id=event.company_id, phone_e164=origin_e164, state__in=AWAITING_NEWS)
    if ours.exists():
        return False
    # News that fit no call are read again for an hour, and by hand: what was asked for since is not settled by them.
    settled = calls.reached_elsewhere(
        event.company_id, origin_e164, how=Reach.INBOUND_CALL, now=now, asked_before=event.received_at
    )
    return bool(settled)
