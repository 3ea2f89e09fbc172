"""`Idempotency-Key` on POST, in both dialects: done once, answered alike for a day, whoever comes at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from callcenter.accounts.models import Company, User
from callcenter.tests.factories import make_api_key, make_attendant, make_company, make_user
from requests_app.models import CallRequest, IdempotentAnswer, LedgerEntry
from requests_app.tasks import purge_idempotent_answers
from requests_app.tests.api import Shop, assert_error

CSCART = "/api/2.0/call_requests"
VENDDOR = "/venddor/api/2.0/call_requests"
BOTH = pytest.mark.parametrize("url", [CSCART, VENDDOR])
BODY = {"phone": "(11) 98765-4321", "name": "Ana"}
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
THREADS = 16


@pytest.fixture
def company(db: None) -> Company:
    """The shop's company."""
    return make_company("Loja")


@pytest.fixture
def shop(company: Company) -> Shop:
    """The shop's program."""
    return Shop(make_user(company))


def post(shop: Shop, url: str, body: Any = BODY, *, key: str = "k-1", **kwargs: Any) -> Any:
    """The answer to a POST under a key."""
    return shop.post(url, body, **{"idempotency-key": key, **kwargs})


@pytest.mark.conforms("CS-idempotency", "VD-idempotency")
@BOTH
def test_the_same_key_and_body_get_the_first_answer_again_and_nothing_is_done(shop: Shop, url: str) -> None:
    first = post(shop, url)
    again = post(shop, url)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == "application/json"
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert CallRequest.objects.count() == LedgerEntry.objects.count() == 1


@pytest.mark.conforms("CS-idempotency", "VD-idempotency")
@BOTH
def test_without_a_key_or_with_another_each_post_is_a_request(shop: Shop, url: str) -> None:
    answers = [shop.post(url, BODY), shop.post(url, BODY), post(shop, url, key="a"), post(shop, url, key="b")]

    assert {answer.status_code for answer in answers} == {201}
    assert CallRequest.objects.count() == 4
    assert IdempotentAnswer.objects.count() == 2


@pytest.mark.conforms("CS-idempotency-conflict", "VD-idempotency-conflict")
@BOTH
def test_another_body_under_the_same_key_is_a_409(shop: Shop, url: str) -> None:
    first = post(shop, url)

    assert_error(post(shop, url, {**BODY, "name": "Bia"}), 409, "Conflict: ", "Idempotency-Key")
    assert CallRequest.objects.get().name == "Ana"
    assert post(shop, url).content == first.content


@pytest.mark.conforms("CS-idempotency-conflict", "VD-idempotency-conflict")
def test_the_other_dialect_under_the_same_key_is_a_409(shop: Shop) -> None:
    post(shop, CSCART)

    assert_error(post(shop, VENDDOR), 409, "Conflict: ")
    assert CallRequest.objects.count() == 1


@pytest.mark.conforms("CS-idempotency-same-body")
def test_blanks_the_order_of_keys_the_form_of_the_url_and_the_type_of_the_body_do_not_matter(shop: Shop) -> None:
    first = post(shop, CSCART, '{"phone": "1", "name": "Ana"}')

    for answer in [
        post(shop, CSCART, '{"name":"Ana","phone":"1"}'),
        post(shop, "/api/call_requests/", {"name": "Ana", "phone": "1"}),
        post(shop, "/api.php?_d=call_requests", {"name": "Ana", "phone": "1"}),
        post(shop, CSCART, "phone=1&name=Ana", content_type="application/x-www-form-urlencoded"),
    ]:
        assert (answer.content, answer["Idempotent-Replayed"]) == (first.content, "true")
    assert CallRequest.objects.count() == 1


@pytest.mark.conforms("CS-idempotency", "VD-idempotency")
@BOTH
def test_a_key_belongs_to_the_user_whichever_of_their_api_keys_is_used(shop: Shop, company: Company, url: str) -> None:
    first = post(shop, url)
    other = Shop(make_user(company))
    same_user = Shop(shop.user)
    assert same_user.key != make_api_key(shop.user) != shop.key

    assert post(same_user, url).content == first.content
    theirs = post(other, url, {**BODY, "name": "Bia"})
    assert (theirs.status_code, theirs.get("Idempotent-Replayed")) == (201, None)
    assert CallRequest.objects.count() == 2


@pytest.mark.conforms("CS-idempotency-refusals", "VD-idempotency-refusals")
@BOTH
def test_a_refusal_keeps_nothing_so_that_the_mended_request_may_use_the_key(shop: Shop, url: str) -> None:
    assert_error(post(shop, url, {"name": "Ana"}), 400, "phone")
    assert_error(post(shop, url, {**BODY, "status": "x"}), 400, "status")
    assert not IdempotentAnswer.objects.exists()

    answer = post(shop, url)

    assert (answer.status_code, answer.get("Idempotent-Replayed")) == (201, None)


@pytest.mark.conforms("CS-idempotency-refusals", "VD-idempotency-refusals")
@BOTH
def test_a_failure_keeps_nothing(shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("requests_app.services.intake.store_new", fail)
        assert_error(post(shop, url), 500)
    assert not CallRequest.objects.exists()

    assert post(shop, url).status_code == 201


@pytest.mark.conforms("CS-idempotency", "VD-idempotency")
@BOTH
def test_the_old_answer_is_given_although_the_request_would_be_refused_now(
    shop: Shop, company: Company, url: str
) -> None:
    attendant = make_attendant(company)
    body = {**BODY, "assignee_id": attendant.pk, "user_id": attendant.pk}
    first = post(shop, url, body)
    User.objects.filter(pk=attendant.pk).update(is_active=False)
    CallRequest.objects.update(name="Outra")

    assert post(shop, url, body).content == first.content


@pytest.mark.conforms("CS-idempotency", "VD-idempotency")
@BOTH
def test_who_lost_the_company_since_does_not_read_its_request_out_of_the_old_answer(
    shop: Shop, company: Company, url: str
) -> None:
    post(shop, url)
    shop.user.companies.set([make_company()])

    assert_error(post(shop, url), 409)


@pytest.mark.conforms("CS-idempotency-key", "VD-idempotency-key")
@BOTH
@pytest.mark.parametrize("key", ["", "   ", "x" * 256, "a\tb", "a\x01b", "a\x7fb", "é", "\xff"])
def test_a_key_that_is_none_is_a_400_and_nothing_is_stored(shop: Shop, url: str, key: str) -> None:
    assert_error(post(shop, url, key=key), 400, "Bad Request: Idempotency-Key", "255")
    assert not CallRequest.objects.exists()


@pytest.mark.conforms("CS-idempotency-key", "VD-idempotency-key")
@BOTH
@pytest.mark.parametrize("key", ["x" * 255, "a b", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~!@%'\\;--"])
def test_any_visible_text_is_a_key(shop: Shop, url: str, key: str) -> None:
    assert post(shop, url, key=key).status_code == 201
    assert post(shop, url, key=key)["Idempotent-Replayed"] == "true"


@pytest.mark.conforms("CS-idempotency-key", "VD-idempotency-key")
@BOTH
def test_a_key_means_nothing_to_other_methods(shop: Shop, url: str) -> None:
    post(shop, url)
    item = f"{url}/{CallRequest.objects.get().pk}"

    for name in ["Bia", "Caio"]:
        answer = shop.put(item, {"name": name}, **{"idempotency-key": "k-1"})
        assert (answer.status_code, answer.get("Idempotent-Replayed")) == (200, None)
    assert CallRequest.objects.get().name == "Caio"


@pytest.mark.conforms("CS-idempotency-day", "VD-idempotency-day")
@BOTH
def test_a_key_is_kept_for_a_day_and_is_free_then_even_before_the_purge(shop: Shop, url: str) -> None:
    with time_machine.travel(NOW, tick=False):
        first = post(shop, url)
    with time_machine.travel(NOW + timedelta(hours=24, seconds=-1), tick=False):
        assert post(shop, url).content == first.content
    with time_machine.travel(NOW + timedelta(hours=24), tick=False):
        later = post(shop, url, {**BODY, "name": "Bia"})

    assert (later.status_code, later.get("Idempotent-Replayed")) == (201, None)
    assert CallRequest.objects.count() == 2
    assert IdempotentAnswer.objects.get().created_at == NOW + timedelta(hours=24)


@pytest.mark.conforms("CS-idempotency-day", "VD-idempotency-day")
def test_the_purge_throws_away_what_is_older_than_a_day(shop: Shop) -> None:
    for hours, key in [(0, "old"), (1, "new")]:
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            post(shop, CSCART, key=key)
    with time_machine.travel(NOW + timedelta(hours=24), tick=False):
        purge_idempotent_answers()

    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.conforms("CS-idempotency-race", "VD-idempotency-race")
@pytest.mark.django_db(transaction=True)
@BOTH
def test_sixteen_at_once_make_one_request_and_get_one_answer(url: str) -> None:
    shop = Shop(make_user(make_company()))
    start = threading.Barrier(THREADS)

    def send(_number: int) -> tuple[int, bytes, str | None]:
        start.wait()
        try:
            answer = post(shop, url)
            return answer.status_code, answer.content, answer.get("Idempotent-Replayed")
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(send, range(THREADS)))

    assert {status for status, _body, _replayed in answers} == {201}
    assert len({body for _status, body, _replayed in answers}) == 1
    assert [replayed for _status, _body, replayed in answers].count(None) == 1
    assert CallRequest.objects.count() == LedgerEntry.objects.count() == IdempotentAnswer.objects.count() == 1


@pytest.mark.conforms("CS-idempotency-race", "VD-idempotency-race")
@pytest.mark.django_db(transaction=True)
@BOTH
def test_of_two_bodies_at_once_one_is_done_and_the_other_is_a_409(url: str) -> None:
    shop = Shop(make_user(make_company()))
    start = threading.Barrier(THREADS)

    def send(number: int) -> tuple[int, int]:
        start.wait()
        try:
            return number % 2, post(shop, url, {**BODY, "name": f"{number % 2}"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        answers = set(pool.map(send, range(THREADS)))

    stored = int(CallRequest.objects.get().name)
    assert answers == {(stored, 201), (1 - stored, 409)}
