"""Rate limits of the APIs, and the bound on failed log-ins that is kept before a key is looked at."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.test import Client

from callcenter.lib.secrets import random_token
from callcenter.tests.factories import make_api_key, make_call_request, make_company, make_user
from callcenter.tests.limits import NOON, count_visits, stopped_clock, use_limits
from requests_app.tests.api import assert_error, basic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CSCART = "/api/2.0/call_requests"
VENDDOR = "/venddor/api/2.0/call_requests"
# One for all: each new one reads the middleware anew.
_client = Client()
STRANGER, SHOP = "203.0.113.7", "198.51.100.2"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Any, tmp_path: Path) -> None:
    use_limits(
        settings,
        tmp_path,
        API_CALLS_PER_MINUTE_PER_KEY=600,
        API_CALLS_PER_MINUTE_PER_ADDRESS=1200,
        FAILED_LOGINS_PER_ADDRESS_AND_EMAIL=20,
        FAILED_LOGINS_PER_ADDRESS=100,
    )


def call(header: str, address: str = STRANGER, url: str = CSCART, **headers: str) -> Any:
    """The answer to a GET from that address."""
    return _client.get(url, headers={"authorization": header, **headers}, REMOTE_ADDR=address)


def wrong_key(email: str = "shop@example.com") -> str:
    return basic(email, random_token())


@pytest.fixture
def good_key() -> str:
    """The header of a shop's own key."""
    user = make_user(make_company(), email="shop@example.com")
    return basic(user.email, make_api_key(user))


@pytest.mark.parametrize("url", [CSCART, VENDDOR])
def test_a_thousand_wrong_keys_from_one_address_are_twenty(settings: Any, good_key: str, url: str) -> None:
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 0
    with stopped_clock():
        statuses = [call(wrong_key(), url=url).status_code for _ in range(1000)]
        assert statuses == [401] * 20 + [429] * 980
        assert call(good_key, SHOP, url).status_code == 200


@pytest.mark.parametrize(("proxies", "real"), [(0, ""), (1, f", {STRANGER}")])
def test_forged_addresses_do_not_make_more_of_it(settings: Any, good_key: str, proxies: int, real: str) -> None:
    settings.PROXY_COUNT = proxies
    with stopped_clock():
        forged = [f"192.0.2.{number}{real}" for number in range(200)]
        statuses = [call(wrong_key(), **{"x-forwarded-for": chain}).status_code for chain in forged]
        assert statuses == [401] * 20 + [429] * 180
        theirs = {"x-forwarded-for": f"{STRANGER}, {SHOP}"} if proxies else {}
        assert call(good_key, SHOP, **theirs).status_code == 200


def test_another_e_mail_address_has_tries_of_its_own_up_to_the_addresss_bound() -> None:
    with stopped_clock():
        emails = [f"shop{number % 10}@example.com" for number in range(200)]
        statuses = [call(wrong_key(email)).status_code for email in emails]

    assert statuses == [401] * 100 + [429] * 100


def test_the_e_mail_address_counts_in_whatever_case() -> None:
    with stopped_clock():
        for _ in range(10):
            call(wrong_key("shop@example.com"))
            call(wrong_key(" SHOP@example.com"))
        assert call(wrong_key("Shop@Example.com")).status_code == 429


def test_then_the_key_is_not_even_looked_at(good_key: str, django_assert_num_queries: Any) -> None:
    with stopped_clock():
        for _ in range(20):
            call(wrong_key())
        with django_assert_num_queries(0):
            answer = call(good_key)
    assert_error(answer, 429, phrase="Too Many Requests: Tente de novo em 800 segundos")


@pytest.mark.conforms("CS-limits", "VD-limits")
@pytest.mark.parametrize("url", [CSCART, f"{CSCART}/1", "/api/nothing", "/api.php?_d=call_requests", VENDDOR])
def test_the_refusal_is_in_the_dialects_shape_and_says_when_to_come_back(settings: Any, url: str) -> None:
    settings.FAILED_LOGINS_PER_ADDRESS_AND_EMAIL = 1
    with stopped_clock() as clock:
        assert call(wrong_key(), url=url).status_code == 401
        answer = call(wrong_key(), url=url)
        assert_error(answer, 429, "Too Many Requests: ")
        assert answer["Retry-After"] == "800"
        clock.move_to(NOON + timedelta(seconds=799))
        assert call(wrong_key(), url=url)["Retry-After"] == "1"
        clock.move_to(NOON + timedelta(seconds=800))
        assert call(wrong_key(), url=url).status_code == 401


def test_right_keys_and_missing_ones_are_no_failed_logins(good_key: str) -> None:
    with stopped_clock():
        for _ in range(30):
            assert call(good_key).status_code == 200
            assert call("").status_code == 401
            assert call("Basic ?").status_code == 401
        assert call(good_key).status_code == 200


def test_calls_with_one_key_are_bounded_wherever_they_come_from(settings: Any, good_key: str) -> None:
    settings.API_CALLS_PER_MINUTE_PER_KEY = 5
    other = make_user(make_company())
    with stopped_clock() as clock:
        statuses = [call(good_key, f"192.0.2.{number}").status_code for number in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert call(good_key)["Retry-After"] == "20"
        assert call(basic(other.email, make_api_key(other))).status_code == 200
        clock.move_to(NOON + timedelta(seconds=20))
        assert call(good_key).status_code == 200


def test_calls_from_one_address_are_bounded_whatever_they_bring(settings: Any, good_key: str) -> None:
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 4
    with stopped_clock():
        assert [call(header).status_code for header in ["", wrong_key(), good_key, "", good_key]] == [
            401, 401, 200, 401, 429,
        ]  # fmt: skip
        assert call(good_key, SHOP).status_code == 200


def test_zero_means_without_a_limit(settings: Any, good_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_CALLS_PER_MINUTE_PER_KEY", "API_CALLS_PER_MINUTE_PER_ADDRESS"):
        setattr(settings, name, 0)
    settings.FAILED_LOGINS_PER_ADDRESS_AND_EMAIL = settings.FAILED_LOGINS_PER_ADDRESS = 0
    visits = count_visits(monkeypatch)

    assert {call(wrong_key()).status_code for _ in range(30)} == {401}
    assert call(good_key).status_code == 200
    assert visits == []


def test_the_limits_cost_two_visits_and_no_query(
    good_key: str, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    company = make_company()
    user = make_user(company)
    key, url = basic(user.email, make_api_key(user)), f"{CSCART}/{make_call_request(company).pk}"
    call(key, url=url)
    visits = count_visits(monkeypatch)

    # The key with its user, the rights, the request.
    with django_assert_max_num_queries(3):
        assert call(key, url=url).status_code == 200
    assert visits == [3, 1]


def test_crossing_a_bound_is_one_line_in_the_log_without_the_e_mail_address(caplog: pytest.LogCaptureFixture) -> None:
    with stopped_clock(), caplog.at_level(logging.WARNING, logger="callcenter"):
        for _ in range(40):
            call(wrong_key())

    lines = [record.getMessage() for record in caplog.records if record.name == "callcenter.lib.limits"]
    assert lines == [f"limits: 20 failed logins for one e-mail from {STRANGER} in 900 s; refused from now on"]


@pytest.mark.django_db(transaction=True)
def test_eight_threads_of_guesses_get_twenty_answers() -> None:
    def guess(_turn: int) -> int:
        try:
            status: int = call(wrong_key()).status_code
            return status
        finally:
            connections.close_all()

    with stopped_clock(), ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(guess, range(80)))

    assert statuses == {401: 20, 429: 60}


def test_without_the_shared_counters_calls_go_on_and_guesses_stay_bounded(
    settings: Any, tmp_path: Path, good_key: str
) -> None:
    settings.REDIS_URL = ""
    settings.DATA_DIR = tmp_path / "nowhere"

    with stopped_clock():
        statuses = [call(wrong_key()).status_code for _ in range(30)]
        assert call(good_key, SHOP).status_code == 200

    assert statuses == [401] * 20 + [429] * 10
