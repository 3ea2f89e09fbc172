"""Our address at the carrier: registered, verified, changed without a gap and removed, whatever dies in between."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from callcenter.lib.errors import Conflict
from callcenter.lib.secrets import digest
from telephony.models import CallbackRegistration, DirectcallAccount
from telephony.providers.base import ProviderError
from telephony.providers.directcall.client import DirectcallClient
from telephony.services import callbacks
from telephony.services.callbacks import (
    callback_url,
    listed_callbacks,
    prepare_callback,
    register_callback,
    remove_callbacks,
    rotate_callback,
    tend_callbacks,
    verify_callback,
)
from telephony.services.carrier import client_of
from telephony.states import REGISTRATION_MOVES, RegistrationState
from telephony.tests.simulators.running import SimulatorProcess

pytestmark = pytest.mark.django_db

ADD, LIST, REMOVE = "/voz/add-callback", "/voz/list-callback", "/voz/remove-callback"


class Died(BaseException):
    """The process ended at this very point."""


def at_the_carrier(account: DirectcallAccount) -> list[str]:
    """The secret ends of the addresses that the carrier posts to."""
    return [callback.url.rpartition("/")[2] for callback in listed_callbacks(account)]


def plan(directcall: SimulatorProcess, path: str, *faults: str) -> None:
    requests.post(
        f"{directcall.url}/_simulator/faults", json={"path": path, "faults": faults}, timeout=5
    ).raise_for_status()


def states(account: DirectcallAccount) -> list[str]:
    """The states of the account's registrations, oldest first."""
    return list(account.registrations.order_by("pk").values_list("state", flat=True))


def in_use(account: DirectcallAccount) -> CallbackRegistration:
    return account.registrations.get(state=RegistrationState.VERIFIED)


def later(minutes: float = 2) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def test_the_table_of_moves_is_closed_and_its_end_is_final() -> None:
    assert set(REGISTRATION_MOVES) == {state.value for state in RegistrationState}
    assert REGISTRATION_MOVES[RegistrationState.REMOVED] == frozenset()


def test_an_account_gets_one_secret_address_and_keeps_it(account: DirectcallAccount) -> None:
    registration = account.registrations.get()
    assert re.fullmatch(r"[A-Za-z0-9]{40}", registration.secret)
    assert registration.digest == digest(registration.secret)
    assert (registration.username, registration.password) == ("", "")
    assert prepare_callback(account, now=timezone.now()) == registration


def test_the_address_holds_credentials_only_when_asked_for(account: DirectcallAccount, settings: Any) -> None:
    settings.PUBLIC_URL = "https://cc.example.com/base"
    registration = account.registrations.get()
    path = f"cc.example.com/base/webhooks/directcall/{registration.secret}"
    assert callback_url(registration) == f"https://{path}"
    assert callback_url(registration, with_credentials=True) == f"https://{path}"
    registration.username, registration.password = "direct call", "se@nha:/ç"
    assert callback_url(registration) == f"https://{path}"
    assert callback_url(registration, with_credentials=True) == f"https://direct%20call:se%40nha%3A%2F%C3%A7@{path}"


def test_a_registration_is_listed_verified_and_repeated_without_a_second_one(account: DirectcallAccount) -> None:
    now = timezone.now()
    registration = register_callback(account, now=now)
    assert (registration.state, registration.verified_at) == ("verified", now)
    # Nobody listens at the test's own address: told, and no obstacle.
    assert registration.problem == "unreachable"
    assert at_the_carrier(account) == [registration.secret]
    assert register_callback(account, now=timezone.now()) == registration
    assert at_the_carrier(account) == [registration.secret]


def test_a_rotation_leaves_one_address_with_other_secrets(account: DirectcallAccount) -> None:
    first = register_callback(account, now=timezone.now())
    DirectcallAccount.objects.update(uses_basic=True)
    account.refresh_from_db()
    second = rotate_callback(account, now=timezone.now())
    assert second.secret != first.secret
    assert (second.username, len(second.password)) == ("directcall", 32)
    assert at_the_carrier(account) == [second.secret]
    assert states(account) == ["removed", "verified"]


@pytest.mark.parametrize("step", ["add", "added", "listed", "taken over", "removed", "all"])
def test_a_rotation_that_dies_is_continued_and_no_moment_is_without_an_address(
    account: DirectcallAccount, directcall: SimulatorProcess, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Dies before the carrier is asked to add, after it, before listing, after the take-over, after the removal."""
    first = register_callback(account, now=timezone.now())
    client: type[Any] = DirectcallClient
    points: dict[str, tuple[Any, str, bool]] = {
        "add": (client, "register_callback", False),
        "added": (client, "register_callback", True),
        "listed": (client, "list_callbacks", False),
        "taken over": (client, "remove_callback", False),
        "removed": (client, "remove_callback", True),
        "all": (callbacks, "_self_test", False),
    }
    owner, name, does_it = points[step]
    real: Callable[..., Any] = getattr(owner, name)

    def dies(*args: Any, **named: Any) -> None:
        if does_it:
            real(*args, **named)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dies)
        with pytest.raises(Died):
            rotate_callback(account, now=timezone.now())
    accepted = set(account.registrations.exclude(state="removed").values_list("pk", flat=True))
    by_secret = {each.secret: each.pk for each in account.registrations.all()}
    # Whatever the carrier posts to at this moment is accepted, and it posts to one at least.
    assert {by_secret[secret] for secret in at_the_carrier(account)} <= accepted
    assert at_the_carrier(account)
    assert tend_callbacks(now=later())["failed"] == 0
    second = in_use(account)
    assert second.secret != first.secret
    assert at_the_carrier(account) == [second.secret]
    assert states(account) == ["removed", "verified"]
    assert tend_callbacks(now=later(4)) == {"continued": 0, "removed": 0, "verified": 0, "failed": 0}


@pytest.mark.parametrize("fault", ["html", "silence", "500", "empty"])
def test_an_answer_that_says_nothing_is_looked_up_before_it_is_asked_again(
    account: DirectcallAccount, directcall: SimulatorProcess, fault: str
) -> None:
    plan(directcall, ADD, fault)
    with pytest.raises(ProviderError):
        register_callback(account, now=timezone.now())
    assert states(account) == ["registering"]
    # Somebody else, or the same person at once, does not ask again while the answer may still come.
    with pytest.raises(Conflict):
        register_callback(account, now=timezone.now())
    tend_callbacks(now=later())
    assert at_the_carrier(account) == [in_use(account).secret]


@pytest.mark.parametrize(("fault", "problem"), [("005", "unavailable"), ("001", "refused"), ("201", "misconfigured")])
def test_a_refusal_keeps_the_former_address_and_says_why(
    account: DirectcallAccount, directcall: SimulatorProcess, fault: str, problem: str
) -> None:
    first = register_callback(account, now=timezone.now())
    plan(directcall, ADD, fault)
    with pytest.raises(ProviderError):
        rotate_callback(account, now=timezone.now())
    assert in_use(account) == first
    waiting = account.registrations.get(state="prepared")
    assert waiting.problem == problem
    tend_callbacks(now=later())
    # What passes by itself is tried again; what a person must mend is not.
    assert states(account) == (["removed", "verified"] if problem == "unavailable" else ["verified", "prepared"])


def test_an_address_that_the_carrier_has_twice_is_left_there_once(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    registration = account.registrations.get()
    client = client_of(account)
    for _ in range(2):
        client.register_callback(callback_url(registration))
    CallbackRegistration.objects.update(state="registering")
    tend_callbacks(now=later())
    assert at_the_carrier(account) == [registration.secret]
    assert in_use(account).code == listed_callbacks(account)[0].code


def test_an_address_that_the_carrier_has_lost_is_registered_anew(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    first = register_callback(account, now=timezone.now())
    requests.post(f"{directcall.url}/_simulator/reset", timeout=5).raise_for_status()
    assert tend_callbacks(now=later(60))["verified"] == 0
    verify_callback(first, now=timezone.now())
    assert (first.state, first.problem) == ("prepared", "not_listed")
    tend_callbacks(now=later())
    assert at_the_carrier(account) == [first.secret]
    assert in_use(account) == first


def test_once_a_day_the_address_in_use_is_looked_for(account: DirectcallAccount) -> None:
    register_callback(account, now=timezone.now())
    assert tend_callbacks(now=later(23 * 60))["verified"] == 0
    assert tend_callbacks(now=later(25 * 60))["verified"] == 1
    assert in_use(account).verified_at == CallbackRegistration.objects.get().verified_at


def test_an_address_that_our_own_server_refuses_does_not_replace_one_that_works(
    account: DirectcallAccount, directcall: SimulatorProcess, settings: Any
) -> None:
    first = register_callback(account, now=timezone.now())
    # A server that is not ours: it knows no such path.
    settings.PUBLIC_URL = directcall.url
    with pytest.raises(Conflict, match="PUBLIC_URL"):
        rotate_callback(account, now=timezone.now())
    assert in_use(account) == first
    assert account.registrations.get(state="registered").problem == "self_test_refused"
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    tend_callbacks(now=later())
    assert states(account) == ["removed", "verified"]


@pytest.mark.django_db(transaction=True)
def test_the_self_test_reaches_the_real_webhook(account: DirectcallAccount, live_server: Any, settings: Any) -> None:
    settings.PUBLIC_URL = live_server.url
    DirectcallAccount.objects.update(uses_basic=True)
    account.refresh_from_db()
    account.registrations.all().delete()
    assert register_callback(account, now=timezone.now()).problem == ""
    wrong = in_use(account)
    wrong.password = "another"
    with pytest.raises(Conflict):
        verify_callback(wrong, now=timezone.now())


def test_removing_can_be_repeated_and_leaves_other_accounts_addresses(account: DirectcallAccount) -> None:
    twin = DirectcallAccount.objects.create(
        company=account.company, name="Outra", base_url=account.base_url, client_id=account.client_id,
        client_secret=account.client_secret,
    )  # fmt: skip
    other = register_callback(twin, now=timezone.now())
    register_callback(account, now=timezone.now())
    assert remove_callbacks(account, now=timezone.now()) == 1
    assert remove_callbacks(account, now=timezone.now()) == 0
    assert states(account) == ["removed"]
    assert at_the_carrier(account) == [other.secret]
    assert register_callback(account, now=timezone.now()).state == "verified"


def test_a_removal_that_failed_is_continued_by_the_job(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    register_callback(account, now=timezone.now())
    plan(directcall, REMOVE, "500")
    with pytest.raises(ProviderError):
        remove_callbacks(account, now=timezone.now())
    assert states(account) == ["removing"]
    assert tend_callbacks(now=later())["removed"] == 1
    assert at_the_carrier(account) == []


def test_an_accounts_lost_keys_stop_no_other_account(account: DirectcallAccount, settings: Any) -> None:
    CallbackRegistration.objects.update(state="registering")
    settings.FIELD_ENCRYPTION_KEYS = ["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="]
    sound = DirectcallAccount.objects.create(
        company=account.company, name="Outra", base_url=account.base_url, client_id=account.client_id,
        client_secret="123456",
    )  # fmt: skip
    registration = prepare_callback(sound, now=timezone.now())
    CallbackRegistration.objects.filter(pk=registration.pk).update(state="registering")
    assert tend_callbacks(now=later()) == {"continued": 1, "removed": 0, "verified": 0, "failed": 1}
    assert states(sound) == ["verified"]
