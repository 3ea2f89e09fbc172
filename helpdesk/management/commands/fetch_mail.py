"""`manage.py fetch_mail`: read the mailboxes of the e-mail channels once, as beat does every minute."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from helpdesk.services.inbound import fetch_mail
from helpdesk.tasks import ring


class Command(BaseCommand):
    """Says how many mails were stored, known before, written by programs, refused, and how many mailboxes were shut."""

    help = "Store the unseen mail of every e-mail channel that names a mailbox."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fetch, ring, and count."""
        counts, bells = fetch_mail(now=timezone.now())
        ring(bells)
        shown = ", ".join(f"{number} {fate}" for fate, number in sorted(counts.items()))
        self.stdout.write(shown or "no mail")
