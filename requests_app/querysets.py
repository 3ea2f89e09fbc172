"""Named conditions on call requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from requests_app.states import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class CallRequestQuerySet(models.QuerySet["CallRequest"]):  # type: ignore[name-defined]
    """Conditions that several places need under one name."""

    def visible_to(self, company_scope: Iterable[int] | None) -> CallRequestQuerySet:
        """Those of the companies in the scope; None = all."""
        return self if company_scope is None else self.filter(company_id__in=company_scope)

    def due(self, now: datetime) -> CallRequestQuerySet:
        """The open ones whose time has come and that are not being dialed, the most urgent and oldest first."""
        return self.filter(due_at__lte=now, in_flight=False, status__in=OPEN).order_by("-priority", "due_at", "id")
