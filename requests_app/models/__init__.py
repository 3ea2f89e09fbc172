"""The tables of call requests, and of the webhooks that tell a company's programs about them."""

from requests_app.models.callbacks import CallbackPolicy, MissedCallback, Shift
from requests_app.models.counts import KeptCount, KeptWeek
from requests_app.models.idempotency import IdempotentAnswer
from requests_app.models.outgoing import WebhookDelivery, WebhookEndpoint
from requests_app.models.requests import CallRequest, LedgerEntry, Order, Product

__all__ = [
    "CallRequest",
    "CallbackPolicy",
    "IdempotentAnswer",
    "KeptCount",
    "KeptWeek",
    "LedgerEntry",
    "MissedCallback",
    "Order",
    "Product",
    "Shift",
    "WebhookDelivery",
    "WebhookEndpoint",
]
