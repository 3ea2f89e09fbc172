"""The call requests app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RequestsAppConfig(AppConfig):
    """Call requests, their ledger, and the mirrors of orders and products."""

    name = "requests_app"
    verbose_name = _("Pedidos de ligação")

    def ready(self) -> None:
        """Give the timeline its first source, the ledger; look after the kept counts when a migrate ends."""
        # Models can't be imported before the app registry is ready.
        from requests_app import selectors, timeline  # noqa: PLC0415

        timeline.add_source(selectors.ledger_entries)
        post_migrate.connect(_ensure_counting, sender=self, dispatch_uid="requests_app.counting")


def _ensure_counting(using: str, **_kwargs: Any) -> None:
    # Models can't be imported before the app registry is ready.
    from requests_app.models.counting import ensure_counting  # noqa: PLC0415

    with transaction.atomic(using=using):
        ensure_counting(connections[using])
