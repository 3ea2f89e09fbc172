"""The callback after a call that dropped: a request of its own, at once, that both ledgers tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.intake import create_call_request
from requests_app.services.ledger import record
from requests_app.states import Priority, Source

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import User

# What the new request takes over: who is called, when they may be called, and what it is about.
_TAKEN_OVER: Final = ("name", "time_from", "time_to", "order_number", "product_number")


def ask_again(
    request_id: int, *, phone_e164: str, notes: str, attempt_id: int, now: datetime, actor: User | None = None
) -> CallRequest:
    """The new request to call the number back with which the dropped call of that request was; urgent, due at once.

    It is a wish of the conversation that was cut off, so the ledger's entry is evidence that the call was asked for;
    the customer's own hours, the rules and the lists hold for it as for any other.

    Errors: `CallRequest.DoesNotExist`; `InvalidInput`.
    Effects: one request and its two entries, and one entry of the request before; one transaction.
    """
    origin = Origin(source=Source.HELPDESK, actor=actor)
    with transaction.atomic():
        before = CallRequest.objects.get(pk=request_id)
        fields: dict[str, Any] = {name: getattr(before, name) for name in _TAKEN_OVER}
        fields |= {"phone": phone_e164, "notes": notes, "priority": Priority.URGENT}
        made = create_call_request(before.company_id, origin=origin, now=now, fields=fields)
        told: dict[str, Any] = {"origin": origin, "at": now, "reason": "dropped_call", "attempt": attempt_id}
        record(made, LedgerEntry.Kind.SCHEDULED, **told, after=before.pk)
        record(before, LedgerEntry.Kind.SCHEDULED, **told, callback=made.pk)
    return made
