"""Outgoing webhooks up to the outbox: which event an entry of the ledger is, who is told, in which words.

Also what staff do with endpoints and deliveries. Sending is in `deliveries` and `sending`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from callcenter.lib.database import any_of, as_list, for_update, rows_of
from callcenter.lib.errors import Conflict, NotFound
from callcenter.lib.standard_webhooks import new_message_id, new_secret
from requests_app.models import LedgerEntry, WebhookDelivery, WebhookEndpoint
from requests_app.models.outgoing import WebhookEvent
from requests_app.states import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from requests_app.models import CallRequest

# After a rotation the receiver has so long to take over the new secret.
OLD_SECRET_LIVES: Final = timedelta(hours=24)

_BY_NEW_STATUS: Final = {Status.COMPLETED: WebhookEvent.COMPLETED, Status.NO_ANSWER: WebhookEvent.NO_ANSWER}


def event_of(entry: LedgerEntry) -> WebhookEvent | None:
    """The event that the ledger's entry means to a company's programs; None when they are not told of it."""
    kinds = LedgerEntry.Kind
    if entry.kind == kinds.CREATED:
        return WebhookEvent.CREATED
    if entry.kind == kinds.ANSWERED or (entry.kind == kinds.OUTCOME and entry.reason == Outcome.ANSWERED):
        return WebhookEvent.ANSWERED
    if entry.kind == kinds.STATUS and entry.reason == "dialed":
        return WebhookEvent.DIALED
    return _BY_NEW_STATUS.get(Status(entry.to_status)) if entry.to_status else None


def companies_with_endpoints(company_ids: Collection[int]) -> set[int]:
    """Of these companies those that have an enabled endpoint, and so may have to be told something. One query."""
    rows = rows_of(
        f"SELECT DISTINCT company_id FROM requests_app_webhookendpoint WHERE {any_of('company_id')} AND is_enabled",
        [as_list(company_ids)],
    )
    return {row["company_id"] for row in rows}


def enqueue_webhooks(entry: LedgerEntry, call_request: CallRequest) -> None:
    """Put what the entry says into the outbox of every endpoint that wants to know; call in its transaction.

    Effects: nothing, or one query for a company that is told nothing; else one INSERT more.
    """
    event = event_of(entry)
    if event is None:
        return
    enabled = WebhookEndpoint.objects.filter(company_id=call_request.company_id, is_enabled=True).order_by()
    endpoints = [one for one in enabled.only("events", "include_contact") if event in one.events]
    if not endpoints or (event == WebhookEvent.ANSWERED and _was_answered_before(entry)):
        return
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint,
            ledger_entry=entry,
            event=event,
            message_id=new_message_id(),
            payload=_payload(event, entry.at, _data(entry, call_request, include_contact=endpoint.include_contact)),
            created_at=entry.at,
            next_try_at=entry.at,
        )
        for endpoint in endpoints
    )


def add_endpoint(endpoint: WebhookEndpoint) -> str:
    """The signing secret of the endpoint, which is stored now; its text is returned here and nowhere else."""
    endpoint.secret = secret = new_secret()
    endpoint.save(force_insert=True)
    return secret


def change_endpoint(endpoint: WebhookEndpoint, *, changed: Collection[str]) -> None:
    """Store the changed columns; one that is switched on starts with a clean slate."""
    columns = set(changed)
    if "is_enabled" in columns:
        endpoint.failing_since, endpoint.disabled_at, endpoint.disabled_reason = None, None, ""
        columns |= {"failing_since", "disabled_at", "disabled_reason"}
    endpoint.save(update_fields=columns)


def rotate_secret(endpoint_id: int, *, now: datetime) -> str:
    """The new signing secret; for a day the old one signs besides it. Its text is returned here and nowhere else."""
    with transaction.atomic():
        endpoint = for_update(WebhookEndpoint.objects.filter(pk=endpoint_id)).get()
        endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, now + OLD_SECRET_LIVES
        endpoint.secret = secret = new_secret()
        endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return secret


def enqueue_test(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookDelivery:
    """The delivery of a test event, which goes out like any other.

    Errors: `Conflict` for an endpoint that is switched off.
    """
    if not endpoint.is_enabled:
        raise Conflict(_("O destino está desligado."))
    data = {"company_id": endpoint.company_id, "endpoint": endpoint.name}
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        event=WebhookEvent.TEST,
        message_id=new_message_id(),
        payload=_payload(WebhookEvent.TEST, now, data),
        created_at=now,
        next_try_at=now,
    )


def resend_delivery(delivery_id: int, *, now: datetime) -> None:
    """Have a delivery sent at once and from the start of its schedule, under its own id and byte for byte.

    Errors: `NotFound`; `Conflict` when its endpoint is switched off or a try of it is going on.
    """
    with transaction.atomic():
        found = for_update(WebhookDelivery.objects.filter(pk=delivery_id)).first()
        if found is None:
            raise NotFound(_("Não existe uma entrega com este número."))
        if not WebhookEndpoint.objects.filter(pk=found.endpoint_id, is_enabled=True).exists():
            raise Conflict(_("O destino está desligado."))
        if found.leased_until is not None and found.leased_until > now:
            raise Conflict(_("Uma tentativa está em curso."))
        found.state, found.tries, found.next_try_at = WebhookDelivery.State.PENDING, 0, now
        found.leased_until = found.lease_token = found.delivered_at = None
        found.save(update_fields=["state", "tries", "next_try_at", "leased_until", "lease_token", "delivered_at"])


def _was_answered_before(entry: LedgerEntry) -> bool:
    """Whether an earlier entry already told that the customer answered this call: since the dialer's last claim."""
    earlier = LedgerEntry.objects.filter(call_request_id=entry.call_request_id, pk__lt=entry.pk)
    claimed = earlier.filter(kind=LedgerEntry.Kind.CLAIMED).aggregate(last=Max("pk"))["last"] or 0
    told = Q(kind=LedgerEntry.Kind.ANSWERED) | Q(kind=LedgerEntry.Kind.OUTCOME, reason=Outcome.ANSWERED)
    return earlier.filter(told, pk__gt=claimed).exists()


def _payload(event: WebhookEvent, at: datetime, data: dict[str, Any]) -> str:
    body = {"type": event.value, "timestamp": _instant(at), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _data(entry: LedgerEntry, call_request: CallRequest, *, include_contact: bool) -> dict[str, Any]:
    # The entry is written before its request in some moves: what it says of the status is what holds.
    status = entry.to_status or call_request.status
    completed_at = (call_request.completed_at or entry.at) if status == Status.COMPLETED else None
    data = {
        "request_id": call_request.pk,
        "company_id": call_request.company_id,
        "status": status,
        "last_outcome": call_request.last_outcome or None,
        "attempts": call_request.attempts,
        "source": call_request.source,
        "order_id": call_request.order_number or None,
        "product_id": call_request.product_number or None,
        "requested_at": _instant(call_request.requested_at),
        "completed_at": _instant(completed_at) if completed_at else None,
    }
    if include_contact:
        data["contact"] = {
            "name": call_request.name,
            "phone": call_request.phone,
            "phone_e164": call_request.phone_e164 or None,
            "email": call_request.email or None,
        }
    return data


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
