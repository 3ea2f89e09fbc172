"""The filters of Venddor's list: the parameter table that it prints is CS-Cart's, `pending` is its own word."""

from __future__ import annotations

from requests_app.dialects.filters import CallRequestFilter
from requests_app.dialects.venddor.wire import PENDING
from requests_app.states import Status


class VenddorFilter(CallRequestFilter):
    """The documented filters, and the status as this dialect reports it."""

    @classmethod
    def statuses_meant(cls, value: str) -> frozenset[str]:
        """The status of that name; `pending` = every one but completed."""
        if value.lower() == PENDING:
            return frozenset(Status.values) - {Status.COMPLETED.value}
        return super().statuses_meant(value)
