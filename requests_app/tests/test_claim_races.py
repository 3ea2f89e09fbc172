"""Many dialers claiming at once: each request goes to exactly one of them."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from callcenter.tests.factories import make_company
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.calls import claim_requests
from requests_app.services.intake import change_call_request, create_call_request
from requests_app.states import Source, Status

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
SHOP = Origin(source=Source.CSCART)
THREADS = 8


def make_requests(count: int) -> list[int]:
    """The ids of so many due requests."""
    company = make_company()
    return [
        create_call_request(company.pk, origin=SHOP, now=NOW, fields={"phone": f"(11) 98765-{number:04d}"}).pk
        for number in range(count)
    ]


@pytest.mark.django_db(transaction=True)
def test_eight_dialers_share_the_requests_without_overlap() -> None:
    ids = make_requests(60)
    start = threading.Barrier(THREADS)

    def claim(seed: int) -> list[int]:
        mine = ids[:]
        random.Random(seed).shuffle(mine)
        start.wait()
        claimed: list[int] = []
        try:
            for first in range(0, len(mine), 15):
                with transaction.atomic():
                    claimed += claim_requests(mine[first : first + 15], now=NOW)
        finally:
            connection.close()
        return claimed

    with ThreadPoolExecutor(THREADS) as pool:
        claimed = [request_id for found in pool.map(claim, range(THREADS)) for request_id in found]
    assert sorted(claimed) == ids
    assert CallRequest.objects.filter(in_flight=True, due_at=None).count() == len(ids)
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CLAIMED).count() == len(ids)


@pytest.mark.django_db(transaction=True)
def test_a_request_closed_at_the_same_moment_is_closed_whoever_comes_first() -> None:
    ids = make_requests(12)
    start = threading.Barrier(2)

    def claim() -> set[int]:
        start.wait()
        claimed: set[int] = set()
        try:
            for request_id in ids:
                with transaction.atomic():
                    claimed |= claim_requests([request_id], now=NOW)
        finally:
            connection.close()
        return claimed

    def close() -> None:
        start.wait()
        try:
            for request_id in reversed(ids):
                change_call_request(request_id, scope=None, origin=SHOP, now=NOW, fields={"status": Status.COMPLETED})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        claiming, closing = pool.submit(claim), pool.submit(close)
        claimed = claiming.result()
        closing.result()
    for request in CallRequest.objects.all():
        assert request.status == Status.COMPLETED
        assert request.due_at is None
        assert request.in_flight is (request.pk in claimed)
