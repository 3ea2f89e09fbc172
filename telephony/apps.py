"""The telephony app; it hands its part of a request's timeline to requests_app, which may not know it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelephonyConfig(AppConfig):
    """Lines, attempts, events and rules."""

    name = "telephony"
    verbose_name = _("Telefonia")

    def ready(self) -> None:
        """Contribute attempts, events and line-level reasons to the timeline."""
        # Models can't be imported before the app registry is ready.
        from requests_app import timeline  # noqa: PLC0415
        from telephony import selectors  # noqa: PLC0415
        from telephony.services import policy  # noqa: PLC0415

        timeline.add_source(selectors.attempt_entries)
        timeline.add_source(selectors.event_entries)
        timeline.add_explanation(policy.why_the_lines_wait)
