"""The filters of Venddor's list: the parameter table that it prints is CS-Cart's, `pending` is its own word."""

from __future__ import annotations

from requests_app.dialects.filters import CallRequestFilter, Rows
from requests_app.dialects.venddor.wire import PENDING
from requests_app.states import Status


class VenddorFilter(CallRequestFilter):
    """The documented filters, and the status as this dialect reports it."""

    def by_status(self, rows: Rows, name: str, value: str) -> Rows:
        """Those in that status; `pending` = every one that is not completed."""
        if value.lower() == PENDING:
            return rows.exclude(status=Status.COMPLETED)
        return super().by_status(rows, name, value)
