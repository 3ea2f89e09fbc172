"""The helpdesk app."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class HelpdeskConfig(AppConfig):
    """Conversations, who leads them, and what automates them."""

    name = "helpdesk"
    verbose_name = _("Atendimentos")

    def ready(self) -> None:
        """Teach SQLite's connections the function that the search compares by."""
        # Models can't be imported before the app registry is ready.
        from helpdesk.models.text_search import give_sqlite_the_function  # noqa: PLC0415

        connection_created.connect(give_sqlite_the_function, dispatch_uid="helpdesk.text_search")
