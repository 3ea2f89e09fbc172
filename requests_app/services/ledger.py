"""Writing the append-only ledger; every service of this app that changes a request calls it in its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callcenter.lib.database import insert_rows
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.outgoing import companies_with_endpoints, enqueue_webhooks
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from requests_app.data import Origin


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


def record_first_calls(request_ids: Sequence[int], *, origin: Origin, at: datetime) -> None:
    """Nothing; that each of these requests, stored as in_progress, was called for the first time stands in its ledger.

    Effects: two queries and one INSERT for all; where a company's programs are told, what `record` does for each.
    """
    companies = dict(CallRequest.objects.filter(pk__any_of=request_ids).values_list("pk", "company_id"))
    told = companies_with_endpoints(set(companies.values()))
    kind, reason = LedgerEntry.Kind.STATUS, "dialed"
    untold = [(pk, company_id) for pk, company_id in companies.items() if company_id not in told]
    insert_rows(
        LedgerEntry,
        ("call_request_id", "company_id", "at", "kind", "source", "from_status", "to_status", "reason"),
        [
            (pk, company_id, at, kind, origin.source, Status.NEW, Status.IN_PROGRESS, reason)
            for pk, company_id in untold
        ],
    )
    for call_request in CallRequest.objects.filter(pk__in=[pk for pk, one in companies.items() if one in told]):
        record(
            call_request,
            kind,
            origin=origin,
            at=at,
            from_status=Status.NEW,
            to_status=Status.IN_PROGRESS,
            reason=reason,
        )


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
