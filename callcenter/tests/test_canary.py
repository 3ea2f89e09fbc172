"""A real run with planted secrets and numbers: none of them is in a log, in the broker, or in the admin's history."""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, Any

import pytest
import redis
import requests
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from callcenter.lib.logging import RedactingFormatter
from callcenter.tests.factories import make_account, make_api_key, make_attendant, make_company, make_line, make_user
from callcenter.tests.stack import Stack, wait_until
from telephony.models import CallbackRegistration, DirectcallAccount
from telephony.services.callbacks import rotate_callback
from telephony.services.carrier import client_of
from telephony.tests.simulators.running import Simulators

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

KEY, DEVICE, CLIENT = "canary-api-key-7f3a", "canary-device-password", "canary-client-secret"
PATH, BASIC, TOKEN = "canary-webhook-path-0123456789abcdef", "canary-basic-password", "canary-query-token"
NUMBERS = ("11999990001", "99999-0001", "5511999990001")


def planted(api_key: str) -> list[str]:
    """Everything that must not be found, as it is and as it travels."""
    basic = base64.b64encode(f"directcall:{BASIC}".encode()).decode()
    account = DirectcallAccount.objects.get()
    stored = [account.access_token, *CallbackRegistration.objects.values_list("secret", flat=True)]
    return [KEY, DEVICE, CLIENT, PATH, BASIC, TOKEN, basic, api_key, api_key.partition(".")[2], *NUMBERS, *stored]


def in_the_broker() -> str:
    """Every message and key that the broker holds, as text."""
    if settings.REDIS_URL:
        server = redis.from_url(settings.REDIS_URL)
        return "".join(f"{key!r}{server.dump(key)!r}" for key in server.scan_iter("*"))
    folder: Path = settings.DATA_DIR / "broker"
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_no_planted_secret_or_number_leaves_by_a_side_door(
    client: Client, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    digitro = ("--api-key", KEY, "--device-password", DEVICE)
    with Simulators(digitro_options=digitro, directcall_options=("--client-secret", CLIENT)) as simulators:
        simulators.client_secret = CLIENT
        company = make_company()
        make_line(company, base_url=simulators.digitro_url, api_key=KEY, device_password=DEVICE)
        account = make_account(
            company, secret=PATH, username="directcall", password=BASIC, base_url=simulators.directcall_url,
            client_id="demo@example.com", client_secret=CLIENT,
        )  # fmt: skip
        make_attendant(company)
        person = make_user()
        api_key = make_api_key(person)
        with Stack(LOG_LEVEL="DEBUG") as stack:
            stack.start_worker()
            answer = _dial(stack, simulators, person.email, api_key)
            _misuse(stack, answer)
            client.force_login(person)
            _work_in_the_admin(client, account)
            rotate_callback(account, now=timezone.now())
            client_of(account).balance()
            waiting = in_the_broker()
        secrets = planted(api_key)
    out, err = capfd.readouterr()
    lines = "\n".join(map(RedactingFormatter().format, caplog.records))
    history = "".join(str(entry.__dict__) for entry in LogEntry.objects.all())
    assert "webhooks/directcall/***" in out + err
    assert history
    for name, text in {"log": out + err, "own log": lines, "broker": waiting, "history": history}.items():
        assert not [secret for secret in secrets if secret and secret in text], name


def _dial(stack: Stack, simulators: Simulators, email: str, api_key: str) -> int:
    """A request that is called and completed by the carrier's callbacks; its number."""
    simulators.register_callback(f"http://directcall:{BASIC}@127.0.0.1:{stack.port}/webhooks/directcall/{PATH}")
    auth = (email, api_key)
    body = {"phone": "(11) 99999-0001", "name": "Ana"}
    made = requests.post(f"{stack.url}/api/2.0/call_requests", json=body, auth=auth, timeout=10)
    url = f"{stack.url}/api/2.0/call_requests/{made.json()['request_id']}"
    wait_until(
        lambda: requests.get(url, auth=auth, timeout=10).json()["status"] == "completed",
        seconds=60,
        what="the request is completed",
    )
    return int(made.json()["request_id"])


def _misuse(stack: Stack, request_id: int) -> None:
    """Everything wrong that puts a secret into an address, a header or a body."""
    hook = f"{stack.url}/webhooks/directcall/{PATH}"
    assert requests.get(hook, params={"access_token": TOKEN}, timeout=10).status_code == 405
    assert requests.post(hook, data={"data": NUMBERS[0]}, auth=("x", BASIC), timeout=10).status_code == 401
    query = {"token": TOKEN, "phone": NUMBERS[2], "json": f'{{"SENHA": "{DEVICE}"}}'}
    for path in ("/api/2.0/call_requests", f"/venddor/api/2.0/call_requests/{request_id}", "/nowhere"):
        assert requests.get(stack.url + path, params=query, auth=("x", KEY), timeout=10).status_code >= 400


def _work_in_the_admin(client: Client, account: DirectcallAccount) -> None:
    url = reverse("admin:telephony_directcallaccount_change", args=[account.pk])
    rows = {"registrations-TOTAL_FORMS": "0", "registrations-INITIAL_FORMS": "0"}
    values: dict[str, Any] = {"name": "Outra", "is_enabled": "on", "base_url": account.base_url, **rows}
    values |= {"client_id": account.client_id, "client_secret": CLIENT}
    assert client.post(url, values).status_code == 302
    shown = client.get(url).content.decode()
    assert CLIENT not in shown
    assert BASIC not in shown
