"""Registers, lists or removes our webhook address at the carrier, for one account or for all."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from callcenter.lib.errors import DomainError
from telephony.models import DirectcallAccount
from telephony.services import carrier


class Command(BaseCommand):
    """`manage.py directcall_callback register|list|remove [--account ID]`."""

    help = "Registers, lists or removes our callback address at Directcall."

    def add_arguments(self, parser: CommandParser) -> None:
        """The action, and the account it is for."""
        parser.add_argument("action", choices=["register", "list", "remove"])
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
            if action == "register":
                self.stdout.write(f"{account.pk} {account}: registered, code {carrier.register_callback(account)}")
            elif action == "remove":
                carrier.remove_callback(account)
                self.stdout.write(f"{account.pk} {account}: removed")
            else:
                for callback in carrier.list_callbacks(account):
                    ours = " (ours)" if callback.code == account.callback_code else ""
                    self.stdout.write(f"{account.pk} {account}: {callback.code}{ours}")
        except DomainError as error:
            # Of the provider, or a secret that can't be decrypted: the other accounts go on.
            self.stderr.write(f"{account_id}: {error.message}")
            return False
        return True
