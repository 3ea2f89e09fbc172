"""What the tests of delivering start from: an endpoint at a receiver, and deliveries in its outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from callcenter.tests.factories import make_company, make_webhook_endpoint
from requests_app.models import WebhookDelivery, WebhookEndpoint
from requests_app.services.deliveries import Claim, claim_due_deliveries
from requests_app.services.outgoing import enqueue_test

if TYPE_CHECKING:
    from datetime import datetime

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def endpoint_at(url: str, **fields: Any) -> WebhookEndpoint:
    """A company's endpoint with a known secret."""
    endpoint = make_webhook_endpoint(make_company(), url=url, **fields)
    endpoint.secret = SECRET
    endpoint.save(update_fields=["secret"])
    return endpoint


def waiting(endpoint: WebhookEndpoint, count: int = 1, *, now: datetime | None = None) -> list[WebhookDelivery]:
    """Deliveries that are due."""
    return [enqueue_test(endpoint, now=now or timezone.now()) for _ in range(count)]


def claim(*, now: datetime | None = None, limit: int = 16, limit_failing: int = 8) -> list[Claim]:
    """The right to tries of what is due."""
    return claim_due_deliveries(now=now or timezone.now(), limit=limit, limit_failing=limit_failing)


def fresh(delivery: WebhookDelivery) -> WebhookDelivery:
    """The delivery as it is stored now, with its endpoint."""
    return WebhookDelivery.objects.select_related("endpoint").get(pk=delivery.pk)
