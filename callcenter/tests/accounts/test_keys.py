"""API keys: shown once, kept as a digest, refused for every reason alike, and remembered when used."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from callcenter.accounts import services
from callcenter.accounts.models import ApiKey, User
from callcenter.accounts.selectors import KEY_PREFIX_LENGTH, key_owner
from callcenter.accounts.services import issue_api_key, note_key_use, revoke_api_key
from callcenter.lib.secrets import random_token
from callcenter.tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    """Somebody who may hold keys."""
    return make_user(email="loja@example.com")


def test_a_key_is_forty_letters_and_digits_and_opens_the_door(user: User) -> None:
    issued = issue_api_key(user, name="Loja")
    assert re.fullmatch(r"[A-Za-z0-9]{40}", issued.secret)
    found = key_owner("loja@example.com", issued.secret)
    assert found == issued.key
    assert found is not None
    assert found.user == user


def test_the_key_itself_is_nowhere_in_the_table(user: User) -> None:
    issued = issue_api_key(user, name="Loja")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apikey")
        row = cursor.fetchone()
    assert not any(issued.secret in str(value) for value in row)
    assert issued.secret[KEY_PREFIX_LENGTH:] not in str(row)
    assert re.fullmatch(r"[0-9a-f]{64}", issued.key.digest)


def test_a_key_does_not_show_itself_when_printed(user: User) -> None:
    issued = issue_api_key(user, name="Loja")
    assert issued.secret not in repr(issued)
    assert issued.secret not in str(issued.key)


def test_two_keys_never_share_a_prefix(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first = issue_api_key(user, name="Loja")
    drawn = iter([first.secret[:KEY_PREFIX_LENGTH] + "x" * 32, "y" * 40])
    monkeypatch.setattr(services, "random_token", lambda _length: next(drawn))
    assert issue_api_key(user, name="Loja").key.prefix == "y" * KEY_PREFIX_LENGTH


def test_a_user_may_have_several_keys(user: User) -> None:
    secrets = [issue_api_key(user, name=f"Loja {number}").secret for number in range(3)]
    assert len({key_owner(user.email, secret) for secret in secrets}) == 3


@pytest.mark.parametrize("typed", ["loja@example.com", "LOJA@Example.COM", " loja@example.com "])
def test_the_address_is_read_in_whatever_case(user: User, typed: str) -> None:
    assert key_owner(typed, issue_api_key(user, name="Loja").secret) is not None


def test_spaces_around_a_pasted_key_do_not_matter(user: User) -> None:
    assert key_owner(user.email, f" {issue_api_key(user, name='Loja').secret}\n") is not None


@pytest.mark.parametrize(
    "secret",
    ["", " ", "x", "x" * 40, "\x00", "\x00" * 40, "chave-não-ascii", "ключ", "😀" * 10, "\ud800abc", "x" * 100_000],
    ids=lambda text: ascii(text)[:20],
)
def test_what_is_no_key_is_refused_without_an_error(user: User, secret: str) -> None:
    issue_api_key(user, name="Loja")
    assert key_owner(user.email, secret) is None
    assert key_owner("", secret) is None


@pytest.mark.parametrize("email", ["", "outra@example.com", "loja@example.com\x00", "lója@example.com", "\ud800"])
def test_the_right_key_with_a_wrong_address_is_refused(user: User, email: str) -> None:
    make_user(email="outra@example.com")
    assert key_owner(email, issue_api_key(user, name="Loja").secret) is None


def test_the_right_beginning_of_a_key_is_not_enough(user: User) -> None:
    secret = issue_api_key(user, name="Loja").secret
    for wrong in (secret[:-1], secret + "x", secret[:KEY_PREFIX_LENGTH], secret[:KEY_PREFIX_LENGTH] + random_token(32)):
        assert key_owner(user.email, wrong) is None


def test_a_revoked_key_is_refused_and_revoked_once(user: User) -> None:
    issued = issue_api_key(user, name="Loja")
    other = issue_api_key(user, name="Outra")
    assert revoke_api_key(issued.key)
    at = ApiKey.objects.get(pk=issued.key.pk).revoked_at
    assert not revoke_api_key(issued.key)
    assert ApiKey.objects.get(pk=issued.key.pk).revoked_at == at
    assert key_owner(user.email, issued.secret) is None
    assert key_owner(user.email, other.secret) is not None


def test_the_keys_of_a_user_who_left_are_refused(user: User) -> None:
    secret = issue_api_key(user, name="Loja").secret
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert key_owner(user.email, secret) is None


def test_a_refusal_costs_as_much_as_a_success(user: User, django_assert_num_queries: Any) -> None:
    secret = issue_api_key(user, name="Loja").secret
    for email, given in ((user.email, secret), (user.email, "x" * 40), ("x@example.com", secret)):
        with django_assert_num_queries(1):
            key_owner(email, given)


def test_the_last_use_is_kept_to_the_minute(user: User, django_assert_num_queries: Any) -> None:
    key = issue_api_key(user, name="Loja").key
    now = timezone.now()
    note_key_use(key, now=now)
    key.refresh_from_db()
    assert key.last_used_at == now
    with django_assert_num_queries(0):
        note_key_use(key, now=now + timedelta(seconds=59))
    note_key_use(key, now=now + timedelta(seconds=61))
    key.refresh_from_db()
    assert key.last_used_at == now + timedelta(seconds=61)


def test_a_use_that_another_process_noted_is_not_noted_again(user: User) -> None:
    stale = issue_api_key(user, name="Loja").key
    now = timezone.now()
    note_key_use(ApiKey.objects.get(pk=stale.pk), now=now)
    note_key_use(stale, now=now + timedelta(seconds=30))
    assert ApiKey.objects.get(pk=stale.pk).last_used_at == now
