"""The call requests app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RequestsAppConfig(AppConfig):
    """Call requests, their ledger, and the mirrors of orders and products."""

    name = "requests_app"
    verbose_name = _("Pedidos de ligação")

    def ready(self) -> None:
        """Give the timeline its first source: the ledger."""
        # Models can't be imported before the app registry is ready.
        from requests_app import selectors, timeline  # noqa: PLC0415

        timeline.add_source(selectors.ledger_entries)
