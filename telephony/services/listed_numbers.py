"""What is asked of the number of every new request: whether a do-not-call list has it, and whether that holds here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from requests_app.services.number_checks import NumberCheck
from requests_app.states import Hold
from telephony.models import DialerLine
from telephony.services.permission import Number, judged, purpose_of

if TYPE_CHECKING:
    from datetime import datetime

    from requests_app.models import CallRequest


def hold_of(call_request: CallRequest, now: datetime) -> Hold:
    """`DO_NOT_CALL` when the rules let no line of the company call the request's number because a list has it.

    What the person asked for afterwards, and what they allowed, is taken into account as at the claim. A company
    without lines is asked by what it calls for. At most seven queries for each purpose that its lines have.
    """
    lines = DialerLine.objects.filter(company_id=call_request.company_id).defer(*DialerLine.SECRET_FIELDS)
    by_purpose = {purpose_of(line): line for line in lines.select_related("company")}
    number = Number(call_request.phone_e164, call_request.pk)
    for line in list(by_purpose.values()) or [DialerLine(company=call_request.company)]:
        (verdict,) = judged([number], line=line, now=now)
        if verdict.hold != Hold.DO_NOT_CALL:
            return Hold.NONE
    return Hold.DO_NOT_CALL


CHECK: Final = NumberCheck(
    condition="EXISTS (SELECT 1 FROM telephony_donotcallentry e WHERE e.number_digest = {digest})", hold_of=hold_of
)
