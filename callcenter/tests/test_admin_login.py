"""The admin's login form: after too many wrong passwords none is looked at, and the page says until when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from django.urls import reverse

from callcenter.tests.factories import PASSWORD, make_user
from callcenter.tests.limits import NOON, stopped_clock, use_limits
from requests_app.tests.api import basic

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = reverse("admin:login")
STRANGER, OWNER = "203.0.113.7", "198.51.100.2"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Any, tmp_path: Path) -> None:
    use_limits(settings, tmp_path, FAILED_LOGINS_PER_ADDRESS_AND_EMAIL=5, FAILED_LOGINS_PER_ADDRESS=8)


def log_in(password: str, address: str = STRANGER, email: str = "ana@example.com") -> Any:
    """The answer to the form."""
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": email, "password": password})


def test_after_five_wrong_passwords_the_right_one_is_not_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(email="ana@example.com")
    with stopped_clock():
        assert {log_in("wrong").status_code for _ in range(5)} == {200}
        hashed: list[str] = []
        verify = Argon2PasswordHasher.verify

        def counted(hasher: Any, password: str, encoded: str) -> bool:
            hashed.append("one")
            return verify(hasher, password, encoded)

        monkeypatch.setattr(Argon2PasswordHasher, "verify", counted)
        refused = log_in(PASSWORD)
        assert (refused.status_code, refused["Retry-After"], hashed) == (429, "800", [])
        assert "Muitas tentativas de entrar falharam. Espere 14 minutos e tente de novo." in refused.text
        assert log_in(PASSWORD, OWNER).status_code == 302
        assert hashed == ["one"]


def test_the_owner_is_let_in_when_the_window_ends() -> None:
    make_user(email="ana@example.com")
    with stopped_clock() as clock:
        for _ in range(6):
            log_in("wrong", email="ANA@example.com")
        clock.move_to(NOON + timedelta(seconds=799))
        refused = log_in(PASSWORD)
        assert refused.status_code == 429
        assert "Espere 1 minuto e tente" in refused.text
        clock.move_to(NOON + timedelta(seconds=800))
        assert log_in(PASSWORD).status_code == 302


def test_an_unknown_address_a_wrong_password_and_no_entry_look_alike_and_count_alike() -> None:
    make_user(email="ana@example.com")
    make_user(email="sem@example.com", is_staff=False)
    cases = [("ana@example.com", "wrong"), ("nobody@example.com", "wrong"), ("sem@example.com", PASSWORD)]
    for number, (email, password) in enumerate(cases):
        with stopped_clock():
            pages = [log_in(password, f"192.0.2.{number}", email) for _ in range(6)]
        assert [page.status_code for page in pages] == [200] * 5 + [429]
        assert "Espere" not in pages[0].text


def test_wrong_keys_and_wrong_passwords_are_counted_together() -> None:
    with stopped_clock():
        for _ in range(5):
            log_in("wrong")
        header = basic("ana@example.com", "x" * 40)
        answer = Client(REMOTE_ADDR=STRANGER).get("/api/2.0/call_requests", headers={"authorization": header})
        assert answer.status_code == 429
        others = [log_in("wrong", email=f"{number}@example.com").status_code for number in range(5)]
        assert others == [200] * 3 + [429] * 2


def test_an_incomplete_form_is_no_failed_log_in() -> None:
    with stopped_clock():
        for _ in range(9):
            assert log_in("").status_code == 200
        assert log_in("wrong").status_code == 200
