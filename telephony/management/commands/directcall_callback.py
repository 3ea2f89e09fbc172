"""Registers, rotates, lists or removes our webhook address at the carrier, for one account or for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from callcenter.lib.errors import DomainError
from telephony.models import DirectcallAccount
from telephony.services import callbacks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class Command(BaseCommand):
    """`manage.py directcall_callback register|rotate|list|remove [--account ID]`."""

    help = "Registers, rotates, lists or removes our callback address at Directcall."

    def add_arguments(self, parser: CommandParser) -> None:
        """The action, and the account it is for."""
        parser.add_argument("action", choices=["register", "rotate", "list", "remove"])
        parser.add_argument("--account", type=int, help="only this account (its number)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it for each enabled account, and fail when any of them failed."""
        accounts = DirectcallAccount.objects.filter(is_enabled=True)
        if options["account"] is not None:
            accounts = accounts.filter(pk=options["account"])
        account_ids = list(accounts.order_by("pk").values_list("pk", flat=True))
        if not account_ids:
            raise CommandError("There is no enabled Directcall account of this number.")
        failed = [account_id for account_id in account_ids if not self._run(options["action"], account_id)]
        if failed:
            raise CommandError(f"Failed for: {', '.join(map(str, failed))}.")

    def _run(self, action: str, account_id: int) -> bool:
        try:
            account = DirectcallAccount.objects.get(pk=account_id)
            for line in _done(action, account, now=timezone.now()):
                self.stdout.write(f"{account.pk} {account}: {line}")
        except DomainError as error:
            # Of the provider, or a secret that can't be decrypted: the other accounts go on.
            self.stderr.write(f"{account_id}: {error.message}")
            return False
        return True


def _done(action: str, account: DirectcallAccount, *, now: datetime) -> Iterator[str]:
    match action:
        case "register":
            registration = callbacks.register_callback(account, now=now)
            yield f"registered, code {registration.code}" + (
                f" ({registration.problem})" if registration.problem else ""
            )
        case "rotate":
            yield f"rotated, code {callbacks.rotate_callback(account, now=now).code}"
        case "remove":
            callbacks.remove_callbacks(account, now=now)
            yield "removed"
        case _:
            codes = set(account.registrations.exclude(code="").values_list("code", flat=True))
            for callback in callbacks.listed_callbacks(account):
                yield f"{callback.code}{' (ours)' if callback.code in codes else ''}"
