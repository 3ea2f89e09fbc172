"""Plain makers of rows for tests; each takes what matters to the test and fills in the rest."""

from __future__ import annotations

import itertools
from datetime import time
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from callcenter.accounts.models import Company, User
from callcenter.accounts.roles import ADMINISTRATOR, ATTENDANT, SUPERVISOR
from callcenter.accounts.services import issue_api_key
from callcenter.lib.secrets import digest
from requests_app.data import Origin
from requests_app.models import CallRequest, WebhookEndpoint
from requests_app.services.intake import create_call_request
from requests_app.services.outgoing import add_endpoint
from requests_app.states import Source
from telephony.models import CallbackRegistration, DialerLine, DirectcallAccount, OpeningHours

_numbers = itertools.count(1)

PASSWORD = "correct horse battery staple"


@cache
def _hashed_password() -> str:
    # Argon2 is slow by intent; once is enough for all users of a run.
    return make_password(PASSWORD)


def make_company(name: str = "", **fields: Any) -> Company:
    """A saved company."""
    return Company.objects.create(name=name or f"Loja {next(_numbers)}", **fields)


def make_user(*companies: Company, role: str = ADMINISTRATOR, email: str = "", **fields: Any) -> User:
    """A saved member of the staff in one role, bound to the companies (none = all)."""
    address = (email or f"pessoa{next(_numbers)}@example.com").lower()
    user = User(email=address, password=_hashed_password(), **{"is_staff": True, **fields})
    user.save()
    user.companies.set(companies)
    user.groups.add(Group.objects.get(name=role))
    return user


def make_attendant(*companies: Company, **fields: Any) -> User:
    """A saved attendant who takes calls now."""
    return make_user(*companies, role=ATTENDANT, **{"presence": User.Presence.AVAILABLE, **fields})


def make_supervisor(*companies: Company, **fields: Any) -> User:
    """A saved supervisor."""
    return make_user(*companies, role=SUPERVISOR, **fields)


def make_api_key(user: User) -> str:
    """The text of a new API key of the user."""
    return issue_api_key(user, name="teste").secret


def make_line(company: Company, *, open_always: bool = True, **fields: Any) -> DialerLine:
    """A saved dialer line with the values of the vendor's example, open around the clock unless told otherwise."""
    values: dict[str, Any] = {
        "name": f"Linha {next(_numbers)}",
        "base_url": "http://127.0.0.1:9",
        "channel_id": 1,
        "api_key": "sim-api-key",
        "device": "1125000",
        "device_password": "4567",
        "account": "1114000",
        "account_password": "1234",
        "originator": "1112000",
        "max_calls_at_once": 50,
        "calls_per_second": 200.0,
    }
    line = DialerLine.objects.create(company=company, **{**values, **fields})
    if open_always:
        OpeningHours.objects.bulk_create(
            OpeningHours(line=line, weekday=day, opens_at=time(0), closes_at=time(0)) for day in range(7)
        )
    return line


def make_account(
    company: Company, *, secret: str = "s3cr3t-of-the-path", username: str = "", password: str = "", **fields: Any
) -> DirectcallAccount:
    """A saved account at the carrier, with an accepted callback address whose path ends in `secret`."""
    account = DirectcallAccount.objects.create(company=company, name="Directcall", **fields)
    CallbackRegistration.objects.create(
        account=account,
        secret=secret,
        digest=digest(secret),
        username=username,
        password=password,
        created_at=timezone.now(),
        state_since=timezone.now(),
    )
    return account


def make_webhook_endpoint(
    company: Company, *, url: str = "https://shop.example.com/hooks", **fields: Any
) -> WebhookEndpoint:
    """A saved endpoint of outgoing webhooks that is told of everything, with a secret."""
    endpoint = WebhookEndpoint(company=company, name=fields.pop("name", f"ERP {next(_numbers)}"), url=url, **fields)
    add_endpoint(endpoint)
    return endpoint


def make_call_request(company: Company, **fields: Any) -> CallRequest:
    """A stored call request, made as the admin makes one."""
    values = {"name": "Maria", "phone": f"(11) 98765-{next(_numbers) % 10000:04d}", **fields}
    return create_call_request(company.pk, origin=Origin(source=Source.ADMIN), now=timezone.now(), fields=values)
