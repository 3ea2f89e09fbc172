"""What the tests of the intake share: a moment, a shop, and short ways to act and to look."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from callcenter.accounts.models import Company
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services import calls
from requests_app.services.intake import (
    change_call_request,
    create_call_request,
)
from requests_app.states import Source

# Noon in São Paulo.
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
SHOP = Origin(source=Source.CSCART)
PHONE = "(11) 98765-4321"


def create(company: Company, now: datetime = NOW, **fields: Any) -> CallRequest:
    """A stored request, read back as the database holds it."""
    values = {"phone": PHONE, **fields}
    return CallRequest.objects.get(pk=create_call_request(company.pk, origin=SHOP, now=now, fields=values).pk)


def change(request: CallRequest, now: datetime = NOW, scope: set[int] | None = None, **fields: Any) -> CallRequest:
    """The request after a change, read back."""
    change_call_request(request.pk, scope=scope, origin=SHOP, now=now, fields=fields)
    return CallRequest.objects.get(pk=request.pk)


def claim(request: CallRequest, now: datetime = NOW) -> None:
    """Make the dialer take the request."""
    assert calls.claim_requests([request.pk], now=now) == {request.pk}


def ledger(request_id: int) -> list[tuple[str, str, str, str]]:
    """The ledger's entries as (kind, from, to, reason)."""
    entries = LedgerEntry.objects.filter(call_request_id=request_id).order_by("id")
    return [(entry.kind, entry.from_status, entry.to_status, entry.reason) for entry in entries]


def situation(request: CallRequest) -> tuple[str, datetime | None, str]:
    """Status, next call and hold reason."""
    return request.status, request.due_at, request.hold_reason
