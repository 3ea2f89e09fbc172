"""The telephony app; it hands its part of a request's timeline to requests_app, which may not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.apps.registry import Apps


class TelephonyConfig(AppConfig):
    """Lines, attempts, events and rules."""

    name = "telephony"
    verbose_name = _("Telefonia")

    def ready(self) -> None:
        """Contribute attempts, events and line-level reasons to the timeline; fill the rule tables after a migrate."""
        # Models can't be imported before the app registry is ready.
        from helpdesk import timeline as contact_timeline  # noqa: PLC0415
        from requests_app import timeline  # noqa: PLC0415
        from requests_app.services import number_checks  # noqa: PLC0415
        from telephony import selectors  # noqa: PLC0415
        from telephony.services import conversations, drops, listed_numbers, policy, why  # noqa: PLC0415

        timeline.add_source(selectors.attempt_entries)
        timeline.add_source(selectors.event_entries)
        timeline.add_explanation(policy.why_the_lines_wait)
        timeline.add_reasons(why.reasons_of)
        timeline.add_standings(why.standings)
        timeline.add_source(conversations.conversation_entries)
        contact_timeline.add_source(conversations.request_entries)
        contact_timeline.offer_callback(conversations.ask_for_callback)
        contact_timeline.take_drops(drops.report_drop)
        number_checks.add_check(listed_numbers.CHECK)
        post_migrate.connect(_fill_empty_tables, sender=self, dispatch_uid="telephony.defaults")


def _fill_empty_tables(using: str, apps: Apps = installed_apps, **_kwargs: Any) -> None:
    """After a migrate, and after a flush, which empties the tables: then `apps` are the installed ones."""
    # Models can't be imported before the app registry is ready.
    from telephony.services.defaults import ensure_defaults  # noqa: PLC0415

    try:
        apps.get_model("telephony", "StatusAlias")
    except LookupError:
        # Migrated to before this app's first migration.
        return
    ensure_defaults(apps, using=using)
