"""The duplicate guard: within a company's window a repeated request is answered with the one that is still open."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Status
from requests_app.tests.api import Shop

CSCART = "/api/2.0/call_requests"
VENDDOR = "/venddor/api/2.0/call_requests"
BOTH = pytest.mark.parametrize("url", [CSCART, VENDDOR])
PHONE = "(11) 98765-4321"
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
THREADS = 16


@pytest.fixture
def company(db: None) -> Company:
    """A company that takes what comes twice in an hour for one request."""
    return make_company("Loja", duplicate_window_minutes=60)


@pytest.fixture
def shop(company: Company) -> Shop:
    """The shop's program."""
    return Shop(make_user(company))


def posted_id(shop: Shop, url: str, body: dict[str, Any]) -> int:
    """The id that a POST was answered with."""
    answer = shop.post(url, body)
    assert answer.status_code == 201, answer.content
    return int(answer.json().get("request_id") or answer.json()["id"])


@pytest.mark.conforms("CS-duplicates", "VD-duplicates")
@BOTH
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"phone": PHONE}, {"phone": "+55 11 98765 4321"}),
        ({"phone": "+7(999)111-22-33"}, {"phone": "+7(999)111-22-33"}),
        ({"phone": "ligue já"}, {"phone": "ligue já"}),
    ],
    ids=["the same number, written otherwise", "the same foreign number", "the same text"],
)
def test_a_repeated_request_is_the_open_one(
    shop: Shop, url: str, first: dict[str, str], second: dict[str, str]
) -> None:
    found = posted_id(shop, url, {**first, "name": "Ana"})

    assert posted_id(shop, url, {**second, "name": "Bia"}) == found
    assert CallRequest.objects.get().name == "Ana"


@pytest.mark.conforms("CS-duplicates")
def test_without_a_phone_the_address_decides(shop: Shop) -> None:
    found = posted_id(shop, CSCART, {"email": "ana@example.com"})

    assert posted_id(shop, CSCART, {"email": "ANA@example.com"}) == found
    assert posted_id(shop, CSCART, {"email": "bia@example.com"}) != found
    assert posted_id(shop, CSCART, {"email": "ana@example.com", "phone": PHONE}) != found
    assert CallRequest.objects.count() == 3


@pytest.mark.conforms("CS-duplicates", "VD-duplicates")
@BOTH
def test_other_numbers_are_other_requests(shop: Shop, url: str) -> None:
    phones = [PHONE, "(11) 98765-4322", "+7(999)111-22-33", "+7(999)111-22-34", "7(999)111-22-33"]

    assert len({posted_id(shop, url, {"phone": phone}) for phone in phones}) == len(phones)


@pytest.mark.conforms("CS-duplicates-shape", "VD-duplicates-shape")
def test_the_answer_has_the_dialects_shape(shop: Shop) -> None:
    first = shop.post(CSCART, {"phone": PHONE, "name": "Ana"})
    again = shop.post(CSCART, {"phone": PHONE})
    theirs = shop.post(VENDDOR, {"phone": PHONE})

    assert (again.status_code, again.content) == (201, first.content)
    assert (theirs.status_code, theirs.json()["name"]) == (201, "Ana")
    assert theirs.content == shop.get(f"{VENDDOR}/{first.json()['request_id']}").content


@pytest.mark.conforms("CS-duplicates-ledger", "VD-duplicates-ledger")
@BOTH
def test_the_ledger_of_the_open_request_says_so_without_personal_data(shop: Shop, url: str) -> None:
    found = posted_id(shop, url, {"phone": PHONE})
    before = CallRequest.objects.values().get()
    posted_id(shop, url, {"phone": PHONE, "name": "Bia", "notes": "de novo"})

    entry = LedgerEntry.objects.latest("id")
    assert (entry.call_request_id, entry.kind, entry.actor) == (found, LedgerEntry.Kind.DUPLICATE, shop.user)
    assert (entry.detail, entry.reason, entry.to_status) == ({}, "", "")
    assert entry.source == ("venddor" if url == VENDDOR else "cscart")
    assert CallRequest.objects.values().get() == before


@pytest.mark.conforms("CS-duplicates-window", "VD-duplicates-window")
@BOTH
def test_the_window_counts_from_the_arrival_whatever_date_the_shop_wrote(shop: Shop, url: str) -> None:
    with time_machine.travel(NOW, tick=False):
        found = posted_id(shop, url, {"phone": PHONE, "timestamp": 1442933072})
    with time_machine.travel(NOW + timedelta(minutes=59, seconds=59), tick=False):
        assert posted_id(shop, url, {"phone": PHONE}) == found
    with time_machine.travel(NOW + timedelta(minutes=60), tick=False):
        assert posted_id(shop, url, {"phone": PHONE}) != found


@pytest.mark.conforms("CS-duplicates-window", "VD-duplicates-window")
@BOTH
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.NO_ANSWER])
def test_a_finished_request_is_not_repeated(shop: Shop, url: str, status: str) -> None:
    found = posted_id(shop, url, {"phone": PHONE})
    CallRequest.objects.update(status=status, due_at=None)

    assert posted_id(shop, url, {"phone": PHONE}) != found


@pytest.mark.conforms("CS-duplicates-window", "VD-duplicates-window")
@BOTH
def test_a_request_that_is_being_dialed_is_still_open(shop: Shop, url: str) -> None:
    found = posted_id(shop, url, {"phone": PHONE})
    CallRequest.objects.update(status=Status.IN_PROGRESS, in_flight=True, due_at=None)

    assert posted_id(shop, url, {"phone": PHONE}) == found


@pytest.mark.conforms("CS-duplicates-off", "VD-duplicates-off")
@BOTH
def test_the_guard_is_off_unless_the_company_has_a_window(url: str, db: None) -> None:
    company = make_company()
    shop = Shop(make_user(company))

    assert company.duplicate_window_minutes == 0
    assert posted_id(shop, url, {"phone": PHONE}) != posted_id(shop, url, {"phone": PHONE})


@pytest.mark.conforms("CS-duplicates-off", "VD-duplicates-off")
@BOTH
def test_each_company_is_guarded_by_itself(shop: Shop, url: str) -> None:
    other = Shop(make_user(make_company(duplicate_window_minutes=60)))

    assert posted_id(shop, url, {"phone": PHONE}) != posted_id(other, url, {"phone": PHONE})


@pytest.mark.conforms("CS-duplicates-off", "VD-duplicates-off")
def test_an_administrator_sets_the_window_in_the_companys_form(company: Company, client: Client) -> None:
    client.force_login(make_user(company))
    form = {"name": "Loja", "time_zone": "America/Manaus", "activity": company.activity, "is_active": "on"}
    url = reverse("admin:accounts_company_change", args=[company.pk])

    assert client.post(url, {**form, "duplicate_window_minutes": "90"}).status_code == 302
    assert Company.objects.get().duplicate_window_minutes == 90
    for refused in ["-1", "43201", "x", ""]:
        assert client.post(url, {**form, "duplicate_window_minutes": refused}).status_code == 200
    assert Company.objects.get().duplicate_window_minutes == 90


@pytest.mark.conforms("CS-duplicates-off", "VD-duplicates-off")
def test_staff_are_not_guarded(company: Company) -> None:
    assert make_call_request(company, phone=PHONE).pk != make_call_request(company, phone=PHONE).pk


@pytest.mark.conforms("CS-duplicates-idempotency", "VD-duplicates-idempotency")
@BOTH
def test_a_key_keeps_the_answer_that_named_the_open_request(shop: Shop, url: str) -> None:
    found = posted_id(shop, url, {"phone": PHONE})
    first = shop.post(url, {"phone": PHONE}, **{"idempotency-key": "k"})
    CallRequest.objects.filter(pk=found).update(status=Status.COMPLETED, due_at=None)

    again = shop.post(url, {"phone": PHONE}, **{"idempotency-key": "k"})

    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.DUPLICATE).count() == 1


@pytest.mark.conforms("CS-duplicates-race", "VD-duplicates-race")
@pytest.mark.django_db(transaction=True)
@BOTH
def test_of_sixteen_at_once_one_is_stored_and_the_others_are_in_its_ledger(url: str) -> None:
    shop = Shop(make_user(make_company(duplicate_window_minutes=60)))
    start = threading.Barrier(THREADS)

    def send(_number: int) -> int:
        start.wait()
        try:
            return posted_id(shop, url, {"phone": PHONE})
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        ids = set(pool.map(send, range(THREADS)))

    assert ids == {CallRequest.objects.get().pk}
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CREATED).count() == 1
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.DUPLICATE).count() == THREADS - 1
