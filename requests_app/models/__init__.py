"""The tables of call requests."""

from requests_app.models.requests import CallRequest, LedgerEntry, Order, Product

__all__ = ["CallRequest", "LedgerEntry", "Order", "Product"]
