"""`manage.py demo_data`: the demo on the first call; later only its simulators' addresses. Prints how to get in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from callcenter.demo import access, helpdesk, history, setting
from callcenter.demo.greeting import greeting


class Command(BaseCommand):
    """Makes the demo data once and keeps its addresses in step with where the simulators listen."""

    help = "Two invented shops whose calls go to the simulators; made once, safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the web server and the simulators listen."""
        parser.add_argument("--base-url", default=settings.PUBLIC_URL, help="default: %(default)s")
        parser.add_argument("--digitro-url", default="http://127.0.0.1:9100", help="default: %(default)s")
        parser.add_argument("--directcall-url", default="http://127.0.0.1:9200", help="default: %(default)s")
        amount = parser.add_mutually_exclusive_group()
        amount.add_argument("--quiet", action="store_true", help="print nothing")
        amount.add_argument("--greeting-only", action="store_true", help="change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make or update, then greet."""
        base_url: str = options["base_url"].rstrip("/")
        if not options["greeting_only"]:
            self._make_or_update(base_url, options)
        elif not setting.is_present():
            raise CommandError("There is no demo data here; run the command without --greeting-only first.")
        if not options["quiet"]:
            self.stdout.write(greeting(base_url, access.saved_access()))

    def _make_or_update(self, base_url: str, options: dict[str, Any]) -> None:
        urls = {name: options[name].rstrip("/") for name in ("digitro_url", "directcall_url")}
        with transaction.atomic():
            if setting.is_present():
                setting.point_at_simulators(**urls)
            else:
                cast, logins = setting.make_cast(**urls)
                history.play_stories(cast, now=timezone.now())
                helpdesk.make_helpdesk(cast, now=timezone.now())
                logins["tokens"] = helpdesk.make_tokens(cast)
                # Inside the transaction: a demo whose passwords nobody knows is of no use.
                access.save_access(logins)
        access.save_simulator_settings(setting.carrier_callbacks(base_url))
