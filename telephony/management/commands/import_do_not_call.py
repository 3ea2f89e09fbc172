"""Read a file of numbers into a do-not-call list; a stopped import goes on with --resume."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from callcenter.accounts.models import Company
from callcenter.lib.errors import DomainError
from telephony.models import DoNotCallImport
from telephony.rule_terms import ListKind
from telephony.services.do_not_call import list_for
from telephony.services.number_imports import empty_list, read_into, start_import


class Command(BaseCommand):
    """Imports CSV or TXT, one number a line, with or without a header."""

    help = "Read a file of numbers into a do-not-call list. Numbers are hashed; problems are told by line number."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, the list, and what the file is."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--list", choices=ListKind.values, help="the kind of list (not with --resume)")
        parser.add_argument("--company", type=int, help="id of the one company that it holds for; else for all")
        parser.add_argument("--listed-on", type=date.fromisoformat, help="YYYY-MM-DD for lines without a date; today")
        parser.add_argument("--replace", action="store_true", help="the file is the whole list; drop what it lacks")
        parser.add_argument("--empty", action="store_true", help="take everybody off first: for lists of another key")
        parser.add_argument("--resume", type=int, metavar="IMPORT", help="go on with this import of the same file")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read the file and say what came of it."""
        if not options["resume"] and not options["list"]:
            raise CommandError("Give --list, or --resume.")
        try:
            import_id = options["resume"] or self._start(options)
            print(f"import {import_id}: reading; after a stop go on with --resume {import_id}")
            with options["file"].open("rb") as lines:
                done = read_into(import_id, lines)
        except DoNotCallImport.DoesNotExist as error:
            raise CommandError("There is no such import.") from error
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        print(
            f"import {done.pk}: {done.lines} lines, {done.added} new, {done.known} known, {done.refused} refused,"
            f" {done.removed} removed"
        )
        for number, reason in done.problems:
            print(f"line {number}: {reason}")

    def _start(self, options: dict[str, Any]) -> int:
        company_id = options["company"]
        if company_id is not None and not Company.objects.filter(pk=company_id).exists():
            raise CommandError("There is no such company.")
        now = timezone.now()
        target = list_for(options["list"], company_id=company_id)
        if options["empty"]:
            print(f"{empty_list(target)} numbers taken off")
            target.refresh_from_db()
        one = start_import(
            target,
            file_name=options["file"].name,
            listed_on=options["listed_on"] or timezone.localdate(now),
            replaces=options["replace"],
            actor=None,
            now=now,
        )
        return one.pk
