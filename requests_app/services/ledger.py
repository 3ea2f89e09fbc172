"""Writing the append-only ledger; every service of this app that changes a request calls it in its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests_app.models import LedgerEntry
from requests_app.services.outgoing import enqueue_webhooks

if TYPE_CHECKING:
    from datetime import datetime

    from requests_app.data import Origin
    from requests_app.models import CallRequest


def record(
    call_request: CallRequest,
    kind: LedgerEntry.Kind,
    *,
    origin: Origin,
    at: datetime,
    from_status: str = "",
    to_status: str = "",
    reason: str = "",
    **detail: Any,
) -> LedgerEntry:
    """The new ledger entry of a request. `detail` takes codes and ids only.

    Effects: one INSERT; where the entry is an event of webhooks, one query for who is told, and their outbox.
    """
    entry = entry_of(
        call_request, kind, origin=origin, at=at, from_status=from_status, to_status=to_status, reason=reason, **detail
    )
    entry.save(force_insert=True)
    enqueue_webhooks(entry, call_request)
    return entry


def entry_of(
    call_request: CallRequest,
    kind: LedgerEntry.Kind,
    *,
    origin: Origin,
    at: datetime,
    from_status: str = "",
    to_status: str = "",
    reason: str = "",
    **detail: Any,
) -> LedgerEntry:
    """The same entry, not stored: for whoever stores it together with its request and tells no webhook."""
    return LedgerEntry(
        call_request_id=call_request.pk,
        company_id=call_request.company_id,
        at=at,
        kind=kind,
        source=origin.source,
        actor=origin.actor,
        from_status=from_status,
        to_status=to_status,
        reason=reason,
        detail=detail,
    )
