"""Registers, lists or removes our webhook address at the carrier, for one account or for all."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from telephony.models import DirectcallAccount
from telephony.providers.base import ProviderError
from telephony.services import carrier


class Command(BaseCommand):
    """`manage.py directcall_callback register|list|remove [--account ID]`."""

    help = "Registra, lista ou remove o endereço de callback na Directcall."

    def add_arguments(self, parser: CommandParser) -> None:
        """The action, and the account it is for."""
        parser.add_argument("action", choices=["register", "list", "remove"])
        parser.add_argument("--account", type=int, help="só esta conta (número)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it for each enabled account, and fail when any of them failed."""
        accounts = DirectcallAccount.objects.filter(is_enabled=True)
        if options["account"] is not None:
            accounts = accounts.filter(pk=options["account"])
        if not accounts:
            raise CommandError("Não há conta Directcall ligada com este número.")
        failed = [account.pk for account in accounts if not self._run(options["action"], account)]
        if failed:
            raise CommandError(f"Falhou para: {', '.join(map(str, failed))}.")

    def _run(self, action: str, account: DirectcallAccount) -> bool:
        try:
            if action == "register":
                self.stdout.write(f"{account.pk} {account}: registrado, código {carrier.register_callback(account)}")
            elif action == "remove":
                carrier.remove_callback(account)
                self.stdout.write(f"{account.pk} {account}: removido")
            else:
                for callback in carrier.list_callbacks(account):
                    ours = " (nosso)" if callback.code == account.callback_code else ""
                    self.stdout.write(f"{account.pk} {account}: {callback.code}{ours}")
        except ProviderError as error:
            self.stderr.write(f"{account.pk} {account}: {error.message}")
            return False
        return True
