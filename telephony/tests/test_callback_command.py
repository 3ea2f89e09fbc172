"""The command that registers, rotates, lists and removes our webhook address, against the carrier's simulator."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from telephony.models import DirectcallAccount

pytestmark = pytest.mark.django_db


def run(action: str, *words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("directcall_callback", action, *words, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_registers_lists_and_removes(account: DirectcallAccount) -> None:
    said = run("register")
    registration = account.registrations.get()
    assert registration.code in said
    assert run("list") == f"{account.pk} Directcall: {registration.code} (ours)\n"
    said += run("rotate")
    successor = account.registrations.get(state="verified")
    assert successor.code != registration.code
    assert run("list") == f"{account.pk} Directcall: {successor.code} (ours)\n"
    assert "removed" in run("remove", "--account", str(account.pk))
    assert run("list") == ""
    assert registration.secret not in said
    assert successor.secret not in said


def test_the_command_goes_on_after_a_failure_and_fails_in_the_end(account: DirectcallAccount) -> None:
    sound = DirectcallAccount.objects.get(pk=account.pk)
    sound.pk = None
    sound.save()
    DirectcallAccount.objects.filter(pk=account.pk).update(base_url="http://127.0.0.1:9")
    with pytest.raises(CommandError, match=f"Failed for: {account.pk}[.]"):
        run("register")
    assert sound.registrations.get().state == "verified"


def test_the_command_reads_one_accounts_undecryptable_secret_as_its_failure(
    account: DirectcallAccount, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="]
    with pytest.raises(CommandError, match=f"Failed for: {account.pk}"):
        run("list")


def test_the_command_says_when_there_is_no_such_account(account: DirectcallAccount) -> None:
    DirectcallAccount.objects.update(is_enabled=False)
    for words in ([], ["--account", str(account.pk)], ["--account", "999"]):
        with pytest.raises(CommandError, match="no enabled Directcall account"):
            run("list", *words)
