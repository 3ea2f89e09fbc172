"""`manage.py check_promises`: the nightly check at once, or a replay of all stored news on a copy of the database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from callcenter.lib.errors import Conflict
from telephony.models import PromiseViolation
from telephony.services.promises import check_promises
from telephony.services.replay import replay

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Exits with 1 when a promise is broken."""

    help = "Checks what the dialer promises; with --replay, that all stored news in another order end the calls alike."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two checks' options."""
        parser.add_argument("--replay", action="store_true", help="on a copy, with the dialer off; changes nothing")
        parser.add_argument("--days", type=int, default=30, help="replay the calls of so many days")
        parser.add_argument("--seed", type=int, default=1, help="of the order of the replayed news")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and say what was found."""
        if options["replay"]:
            self._replay(days=options["days"], seed=options["seed"])
            return
        check = check_promises(now=timezone.now())
        for violation in PromiseViolation.objects.filter(gone_at=None, last_found_at=check.at):
            self.stdout.write(f"{violation.promise} {violation.subject}")
        self.stdout.write(f"{check.found} violations, {check.seconds:.1f} s")
        if check.found:
            raise CommandError("A promise is broken; the admin says what to do.")

    def _replay(self, *, days: int, seed: int) -> None:
        now = timezone.now()
        try:
            number, differences = replay(since=now - timedelta(days=days), seed=seed, now=now)
        except Conflict as error:
            raise CommandError(str(error.message)) from error
        for one in differences:
            self.stdout.write(f"attempt {one.attempt_id}: {'/'.join(one.stored)}, replayed {'/'.join(one.replayed)}")
        self.stdout.write(f"{number} calls replayed, {len(differences)} ended otherwise")
        if differences:
            raise CommandError("News in another order ended a call otherwise.")
