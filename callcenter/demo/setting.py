"""Who and what the demo consists of: companies, people, API keys, lines at the simulators, rules, mirrors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import Group
from django.core.management.color import no_style
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import Company, User
from callcenter.accounts.roles import ADMINISTRATOR, ATTENDANT, SUPERVISOR
from callcenter.accounts.services import issue_api_key
from callcenter.lib.secrets import random_token
from requests_app.models import Order, Product
from requests_app.states import Outcome
from telephony.models import CallbackRegistration, DialerLine, DirectcallAccount, OpeningHours, RetryRule
from telephony.services.callbacks import prepare_callback
from telephony.states import RegistrationState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

# By e-mail address, under "passwords", "api_keys" and (for the API of conversations) "tokens".
Access = dict[str, dict[str, str]]

# The assignee of Venddor's own example: https://www.venddor.com.br/ (Call Requests API).
VENDDOR_ASSIGNEE_ID: Final = 42
_LOOPBACK: Final = "http://127.0.0.1:"
_PASSWORD_LENGTH: Final = 16


@dataclass(frozen=True)
class Shop:
    """An invented company: its API user, and the number its calls come from, by which the carrier tells it apart."""

    name: str
    api_email: str
    originator: str


AURORA: Final = Shop("Loja Aurora", "api@loja-aurora.example", "1112000")
CASA_VERDE: Final = Shop("Casa Verde", "api@casa-verde.example", "1112001")
SHOPS: Final = (AURORA, CASA_VERDE)

ADMIN_EMAIL: Final = "admin@callcenter.example"
SUPERVISOR_EMAIL: Final = "marta.reis@callcenter.example"
ATTENDANT_EMAIL: Final = "bianca.melo@callcenter.example"
SECOND_ATTENDANT_EMAIL: Final = "caio.prado@callcenter.example"

_PEOPLE: Final[tuple[tuple[str, str, str, str, dict[str, Any]], ...]] = (
    (ADMIN_EMAIL, "Otávio", "Salles", ADMINISTRATOR, {"is_superuser": True}),
    (SUPERVISOR_EMAIL, "Marta", "Reis", SUPERVISOR, {}),
    (ATTENDANT_EMAIL, "Bianca", "Melo", ATTENDANT, {}),
    (SECOND_ATTENDANT_EMAIL, "Caio", "Prado", ATTENDANT, {}),
)

# Short enough to watch; the other outcomes follow the rules for everybody.
_RULES: Final = ((Outcome.BUSY, 3, 60), (Outcome.NO_ANSWER, 3, 60))
_PRODUCTS: Final = (
    (301, "Luminária de mesa"),
    (302, "Poltrona Ipê"),
    (303, "Tapete de sisal"),
    (304, "Jogo de panelas"),
    (305, "Rede de algodão"),
)
_ORDERS: Final = ((1001, "P"), (1002, "C"), (1003, "O"), (1004, "F"), (1005, "N"))


@dataclass(frozen=True)
class Cast:
    """What the stories are about: companies, lines and accounts by shop, and the people by e-mail address."""

    companies: Mapping[Shop, Company]
    lines: Mapping[Shop, DialerLine]
    accounts: Mapping[Shop, DirectcallAccount]
    people: Mapping[str, User]


def is_present() -> bool:
    """Whether the demo was made here before, even when staff have renamed its first company since."""
    return Company.objects.filter(name=AURORA.name).exists() or User.objects.filter(email=AURORA.api_email).exists()


def make_cast(*, digitro_url: str, directcall_url: str) -> tuple[Cast, Access]:
    """The new companies, people and lines, and the access they got: passwords and API keys by e-mail address."""
    companies = {shop: Company.objects.create(name=shop.name) for shop in SHOPS}
    people, passwords = _make_people(list(companies.values()))
    keys = {shop.api_email: _make_api_user(shop, company) for shop, company in companies.items()}
    for company in companies.values():
        _make_mirrors(company)
        RetryRule.objects.bulk_create(
            RetryRule(company=company, outcome=outcome, max_tries=tries, wait_seconds=seconds)
            for outcome, tries, seconds in _RULES
        )
    cast = Cast(
        companies=companies,
        lines={shop: _make_line(shop, company, base_url=digitro_url) for shop, company in companies.items()},
        accounts={shop: _make_account(shop, company, base_url=directcall_url) for shop, company in companies.items()},
        people=people,
    )
    return cast, {"passwords": passwords, "api_keys": keys}


def point_at_simulators(*, digitro_url: str, directcall_url: str) -> None:
    """Move the demo's lines and accounts to the simulators' present addresses; one aimed elsewhere is left alone."""
    companies = list(_demo_companies())
    DialerLine.objects.filter(company__in=companies, base_url__startswith=_LOOPBACK).update(base_url=digitro_url)
    DirectcallAccount.objects.filter(company__in=companies, base_url__startswith=_LOOPBACK).update(
        base_url=directcall_url
    )


def carrier_callbacks(base_url: str) -> list[str]:
    """What the carrier's simulator registers from the start: `PIN=address` of each demo account's webhook."""
    accepted = CallbackRegistration.objects.exclude(state=RegistrationState.REMOVED).select_related("account")
    return [
        f"{each.account.pin}={base_url}{reverse('directcall-callback', args=[each.secret])}"
        for each in accepted.filter(account__company__in=list(_demo_companies()), account__is_enabled=True)
    ]


def _demo_companies() -> QuerySet[Company]:
    return Company.objects.filter(users__email__in=[shop.api_email for shop in SHOPS])


def _make_people(companies: list[Company]) -> tuple[dict[str, User], dict[str, str]]:
    people, passwords = {}, {}
    for email, first_name, last_name, role, extra in _PEOPLE:
        fields = {**extra, "first_name": first_name, "last_name": last_name, "is_staff": True}
        if email == ATTENDANT_EMAIL and not User.objects.filter(pk=VENDDOR_ASSIGNEE_ID).exists():
            fields["id"] = VENDDOR_ASSIGNEE_ID
        if role == ATTENDANT:
            fields.update(presence=User.Presence.AVAILABLE, presence_changed_at=timezone.now())
        passwords[email] = random_token(_PASSWORD_LENGTH)
        people[email] = User.objects.create_user(email, passwords[email], **fields)
        people[email].groups.add(Group.objects.get(name=role))
        if role == ATTENDANT:
            people[email].companies.set(companies)
    # PostgreSQL hands out ids from a counter that knows nothing of the one given here.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [User]):
            cursor.execute(statement)
    return people, passwords


def _make_api_user(shop: Shop, company: Company) -> str:
    user = User.objects.create_user(shop.api_email, first_name="API", last_name=shop.name)
    user.companies.add(company)
    user.groups.add(Group.objects.get(name=SUPERVISOR))
    return issue_api_key(user, name="Demonstração").secret


def _make_mirrors(company: Company) -> None:
    Product.objects.bulk_create(Product(company=company, number=number, name=name) for number, name in _PRODUCTS)
    Order.objects.bulk_create(
        Order(company=company, number=number, status=status, email=f"pedido{number}@cliente.example")
        for number, status in _ORDERS
    )


def _make_line(shop: Shop, company: Company, *, base_url: str) -> DialerLine:
    # Device, account and passwords are those of the vendor's example, which the simulator accepts:
    # https://docs-pabx.digitro.com/api-10271002
    line = DialerLine.objects.create(
        company=company,
        name=f"Simulador ({shop.name})",
        base_url=base_url,
        # Learned from the event channel.
        channel_id=None,
        api_key="sim-api-key",
        device="1125000",
        device_password="4567",
        route="0",
        account="1114000",
        account_password="1234",
        originator=shop.originator,
        max_calls_at_once=5,
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(line=line, weekday=weekday, opens_at=time(0), closes_at=time(0))
        for weekday in OpeningHours.Weekday.values
    )
    return line


def _make_account(shop: Shop, company: Company, *, base_url: str) -> DirectcallAccount:
    account = DirectcallAccount.objects.create(
        company=company,
        name=f"Simulador ({shop.name})",
        base_url=base_url,
        client_id="demo@example.com",
        client_secret="123456",
        pin=shop.originator,
    )
    prepare_callback(account, now=timezone.now())
    return account
