"""Compares the kept counts with the table, and counts anew what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from requests_app.models.counting import differences, ensure_counting, recount

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """`recount_call_requests [--check]`."""

    help = "Compares the kept counts of call requests with the table, and counts anew what is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check` changes nothing."""
        parser.add_argument("--check", action="store_true", help="only compare; fails when a number is wrong")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Say what is wrong, and mend it unless only asked to check.

        Errors: `CommandError` when something is wrong and nothing may be changed.
        """
        wrong = differences(connection)
        for table, *key, kept, counted in wrong:
            self.stdout.write(f"{table} {key}: kept {kept}, counted {counted}")
        if check and wrong:
            raise CommandError(f"{len(wrong)} kept counts are wrong.")
        if not check:
            with transaction.atomic():
                # A missing trigger is made, which counts anew by itself.
                if not ensure_counting(connection) and wrong:
                    recount(connection)
        self.stdout.write(f"{len(wrong)} kept counts were wrong." if wrong else "All kept counts are right.")
