"""`/auth`: an e-mail address and a password for a key that expires; whoever guesses learns nothing."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.utils import timezone

from callcenter.accounts.models import ApiKey, User
from callcenter.accounts.selectors import key_owner
from callcenter.accounts.services import issue_login_key
from callcenter.lib.logging import RedactingFormatter
from callcenter.tests.factories import PASSWORD, make_api_key, make_company, make_user
from callcenter.tests.limits import NOON, stopped_clock, use_limits
from requests_app.tests.api import assert_error, basic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUTH = "/venddor/api/2.0/auth"
LIST = "/venddor/api/2.0/call_requests"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    """Somebody of a shop who may do everything there."""
    return make_user(make_company(), email="shop@example.com")


def log_in(email: str = "shop@example.com", password: str = PASSWORD, *, url: str = AUTH, address: str = "") -> Any:
    """The answer to a log-in."""
    client = Client(raise_request_exception=False, REMOTE_ADDR=address or "203.0.113.7")
    return client.post(url, {"email": email, "password": password}, content_type="application/json")


@pytest.mark.conforms("VD-login")
@pytest.mark.parametrize("url", [AUTH, f"{AUTH}/", "/venddor/api/auth"])
def test_the_documented_answer_and_a_key_that_works(user: User, url: str) -> None:
    with stopped_clock():
        answer = log_in(url=url)
    body = answer.json()

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert list(body) == ["status", "data"]
    assert list(body["data"]) == ["api_key", "expires_at", "user_id"]
    assert (body["status"], body["data"]["user_id"]) == ("success", user.pk)
    assert body["data"]["expires_at"] == "2026-04-09T12:01:40Z"
    with stopped_clock():
        header = basic(user.email, body["data"]["api_key"])
        assert Client().get(LIST, headers={"authorization": header}).status_code == 200


@pytest.mark.conforms("VD-login-expiry")
def test_the_key_is_refused_from_the_moment_it_expires(user: User) -> None:
    with stopped_clock() as clock:
        key = log_in().json()["data"]["api_key"]
        clock.move_to(NOON + timedelta(days=30) - timedelta(seconds=1))
        assert key_owner(user.email, key) is not None
        clock.move_to(NOON + timedelta(days=30))
        assert key_owner(user.email, key) is None
        answer = Client().get(LIST, headers={"authorization": basic(user.email, key)})
        assert_error(answer, 401, phrase="Unauthorized")


@pytest.mark.conforms("VD-login-keys")
def test_only_the_newest_keys_of_this_kind_live_on(user: User, settings: Any) -> None:
    settings.LOGIN_KEYS_PER_USER = 3
    lasting, other = make_api_key(user), make_user(email="other@example.com")
    theirs = log_in("other@example.com").json()["data"]["api_key"]

    keys = [log_in().json()["data"]["api_key"] for _ in range(5)]

    assert [key_owner(user.email, key) is not None for key in keys] == [False, False, True, True, True]
    assert key_owner(user.email, lasting) is not None
    assert key_owner(other.email, theirs) is not None


@pytest.mark.conforms("VD-login-keys")
@pytest.mark.django_db(transaction=True)
def test_log_ins_at_once_leave_no_key_too_many(user: User, settings: Any) -> None:
    settings.LOGIN_KEYS_PER_USER = 2

    def issue(_turn: int) -> None:
        try:
            issue_login_key(user, name="teste", now=timezone.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(issue, range(12)))

    assert ApiKey.objects.filter(user=user, revoked_at=None).count() == 2


@pytest.mark.conforms("VD-login-keys")
def test_a_program_that_logs_in_all_the_time_does_not_fill_the_table(user: User) -> None:
    make_api_key(user)
    for _ in range(105):
        issue_login_key(user, name="teste", now=timezone.now())

    assert ApiKey.objects.filter(user=user).count() == 101


def noted(calls: list[str], method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which leaves its name in the list each time."""

    def call(*args: Any) -> Any:
        calls.append(method.__name__)
        return method(*args)

    return call


@pytest.mark.conforms("VD-login-401")
@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("shop@example.com", "wrong"),
        ("shop@example.com", f" {PASSWORD}"),
        ("nobody@example.com", PASSWORD),
        ("inactive@example.com", PASSWORD),
        ("without-password@example.com", PASSWORD),
    ],
)
def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    user: User, email: str, password: str, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    make_user(email="inactive@example.com", is_active=False)
    User.objects.create_user("without-password@example.com", None)
    hashed: list[str] = []
    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, noted(hashed, getattr(Argon2PasswordHasher, name)))

    with django_assert_num_queries(1):
        answer = log_in(email, password)

    assert_error(answer, 401, phrase="Unauthorized")
    assert answer["WWW-Authenticate"].startswith("Basic realm=")
    assert len(hashed) == 1


@pytest.mark.conforms("VD-login-403")
def test_who_may_do_nothing_with_call_requests_gets_no_key() -> None:
    User.objects.create_user("plain@example.com", PASSWORD, is_staff=True)

    assert_error(log_in("plain@example.com"), 403, phrase="Forbidden")
    assert not ApiKey.objects.exists()


@pytest.mark.conforms("VD-login-403")
@pytest.mark.parametrize("permission", ["view", "add", "change", "delete"])
def test_one_right_is_enough_and_no_entry_to_the_admin_is_needed(permission: str) -> None:
    user = User.objects.create_user("plain@example.com", PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename=f"{permission}_callrequest"))

    assert log_in("PLAIN@Example.com").status_code == 200


@pytest.mark.conforms("VD-login-400")
@pytest.mark.parametrize(
    "body",
    [
        {}, {"email": "shop@example.com"}, {"password": PASSWORD}, {"email": "", "password": ""},
        {"email": None, "password": None}, {"email": ["x"], "password": {"a": 1}},
        {"email": "shop@example.com\x00", "password": PASSWORD}, {"email": "shop@example.com", "password": "\x00"},
        {"email": "x" * 255, "password": "x" * 1025}, {"email": "\ud800", "password": "\ud800"},
    ],
)  # fmt: skip
def test_a_body_that_is_no_pair_of_texts_is_a_400_that_names_the_field(user: User, body: dict[str, Any]) -> None:
    answer = Client(raise_request_exception=False).post(AUTH, body, content_type="application/json")

    assert answer.status_code == 400
    assert "email: " in answer.json()["message"] or "password: " in answer.json()["message"]


@pytest.mark.conforms("VD-login-400")
def test_other_bodies_and_methods() -> None:
    client = Client(raise_request_exception=False)

    assert_error(client.post(AUTH, "{", content_type="application/json"), 400, "JSON")
    assert_error(client.post(AUTH, "[]", content_type="application/json"), 400, "JSON")
    assert_error(client.post(AUTH, {"email": "x", "password": "x"}), 415, "application/json")
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD"]:
        assert client.generic(method, AUTH).status_code == 405
    assert client.options(AUTH).status_code == 200


@pytest.mark.conforms("VD-login-429")
def test_guessing_is_stopped_before_the_password_is_looked_at(
    user: User, settings: Any, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    use_limits(settings, tmp_path, FAILED_LOGINS_PER_ADDRESS_AND_EMAIL=4, FAILED_LOGINS_PER_ADDRESS=6)
    with stopped_clock():
        assert [log_in(password="wrong").status_code for _ in range(6)] == [401] * 4 + [429] * 2
        with django_assert_num_queries(0):
            refused = log_in()
        assert_error(refused, 429, "Too Many Requests: ")
        assert refused["Retry-After"] == "800"
        assert log_in(address="198.51.100.2").status_code == 200
        assert [log_in(f"{n}@example.com", "wrong").status_code for n in range(4)] == [401] * 2 + [429] * 2


@pytest.mark.conforms("VD-login-429")
def test_log_ins_count_as_calls_of_their_address(user: User, settings: Any, tmp_path: Path) -> None:
    use_limits(settings, tmp_path, API_CALLS_PER_MINUTE_PER_ADDRESS=3)
    with stopped_clock():
        answers = [log_in() for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Retry-After"] == "20"


@pytest.mark.conforms("VD-login-secrets")
def test_neither_password_nor_key_is_in_the_log_or_in_the_table(
    user: User, caplog: pytest.LogCaptureFixture, settings: Any, tmp_path: Path
) -> None:
    use_limits(settings, tmp_path, FAILED_LOGINS_PER_ADDRESS_AND_EMAIL=2)
    with caplog.at_level(logging.DEBUG):
        key = log_in().json()["data"]["api_key"]
        for _ in range(4):
            log_in(password="a wrong secret")

    lines = "\n".join(RedactingFormatter().format(record) for record in caplog.records if record.name != "asyncio")
    for secret in (PASSWORD, key, "a wrong secret", "shop@example.com"):
        assert secret not in lines
    assert key not in str(ApiKey.objects.values_list())
