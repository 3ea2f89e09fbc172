"""Writing the append-only ledger; every service of this app that changes a request calls it in its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callcenter.lib.batches import insert_for_each
from callcenter.lib.database import insert_rows, set_columns
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.outgoing import companies_with_endpoints, enqueue_webhooks
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
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


def record_first_calls(companies: Mapping[int, int], *, origin: Origin, at: datetime) -> None:
    """Nothing; that each of these requests, stored as in_progress, was called for the first time stands in its ledger.

    `companies` = whose each request is, by its id.

    Effects: a query and one INSERT a company; where a company's programs are told, what `record` does for each.
    """
    told = companies_with_endpoints(set(companies.values()))
    kind, reason = LedgerEntry.Kind.STATUS, "dialed"
    untold: dict[int, list[int]] = {}
    for pk, company_id in companies.items():
        if company_id not in told:
            untold.setdefault(company_id, []).append(pk)
    for company_id, ids in untold.items():
        insert_for_each(
            LedgerEntry,
            "call_request_id",
            ids,
            company_id=company_id,
            at=at,
            kind=kind,
            source=origin.source,
            from_status=Status.NEW,
            to_status=Status.IN_PROGRESS,
            reason=reason,
        )
    waiting = [pk for pk, one in companies.items() if one in told]
    for call_request in CallRequest.objects.filter(pk__in=waiting) if waiting else ():
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


class AtOnce:
    """A book that writes each entry and each request when it is told of it."""

    def record(
        self, call_request: CallRequest, kind: LedgerEntry.Kind, *, origin: Origin, at: datetime, **said: str
    ) -> None:
        """Nothing; the entry is stored, as `record` does it."""
        record(call_request, kind, origin=origin, at=at, **said)

    def save(self, call_request: CallRequest, columns: Sequence[str]) -> None:
        """Nothing; these columns of the request are stored."""
        call_request.save(update_fields=columns)


class Together(AtOnce):
    """A book that keeps what it is told until `write`, for many locked requests at once.

    What a company with endpoints of webhooks may have to be told is written at once, with its outbox: `told` are those
    companies.
    """

    _COLUMNS = ("status", "completed_at", "in_flight", "due_at", "hold_reason", "last_outcome", "updated_at")

    def __init__(self, *, told: Collection[int]) -> None:
        self.told = told
        self._entries: list[tuple[Any, ...]] = []
        self._changed: dict[int, CallRequest] = {}

    def record(
        self, call_request: CallRequest, kind: LedgerEntry.Kind, *, origin: Origin, at: datetime, **said: str
    ) -> None:
        """Nothing; the entry will be stored."""
        if call_request.company_id in self.told:
            super().record(call_request, kind, origin=origin, at=at, **said)
            return
        words = (said.get("from_status", ""), said.get("to_status", ""), said.get("reason", ""))
        self._entries.append((call_request.pk, call_request.company_id, at, kind, origin.source, *words))

    def save(self, call_request: CallRequest, columns: Sequence[str]) -> None:
        """Nothing; the request will be stored.

        Errors: `ValueError` for a column that is not among those that a call moves.
        """
        if not set(columns) <= set(self._COLUMNS):
            raise ValueError(f"columns that are not written together: {columns}")
        self._changed[call_request.pk] = call_request

    def write(self) -> None:
        """Nothing; all of it is stored. Effects: one INSERT and one UPDATE."""
        columns = ("call_request_id", "company_id", "at", "kind", "source", "from_status", "to_status", "reason")
        insert_rows(LedgerEntry, columns, self._entries)
        rows = {pk: [getattr(row, name) for name in self._COLUMNS] for pk, row in self._changed.items()}
        set_columns(CallRequest, self._COLUMNS, rows)


AT_ONCE = AtOnce()
