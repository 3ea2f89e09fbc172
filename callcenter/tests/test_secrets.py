"""Encrypted columns, keyed digests and random tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection

from callcenter.lib.secrets import SecretUnreadable, decrypt, digest, encrypt, random_token, same
from callcenter.tests.factories import make_company, make_line
from telephony.models import DialerLine

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


def test_what_was_encrypted_can_be_read_again_and_never_looks_the_same_twice() -> None:
    first, second = encrypt("sênha secreta"), encrypt("sênha secreta")
    assert decrypt(first) == decrypt(second) == "sênha secreta"
    assert first != second
    assert "secreta" not in first


def test_an_empty_secret_stays_empty() -> None:
    assert encrypt("") == ""
    assert decrypt("") == ""


def test_a_new_key_in_front_still_reads_what_the_old_one_wrote(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    token = encrypt("4567")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert decrypt(token) == "4567"
    settings.FIELD_ENCRYPTION_KEYS = [new]
    with pytest.raises(SecretUnreadable):
        decrypt(token)


@pytest.mark.django_db
def test_a_line_keeps_its_passwords_encrypted_in_the_database() -> None:
    line = make_line(make_company(), device_password="4567-of-the-device")
    with connection.cursor() as cursor:
        cursor.execute("SELECT device_password FROM telephony_dialerline WHERE id = %s", [line.pk])
        (stored,) = cursor.fetchone()
    assert "4567" not in stored
    assert DialerLine.objects.get(pk=line.pk).device_password == "4567-of-the-device"


@pytest.mark.django_db
def test_a_dump_of_the_data_holds_no_plain_secret() -> None:
    line = make_line(make_company(), device_password="4567-of-the-device")
    assert "4567-of-the-device" not in serializers.serialize("json", [line])


def test_a_digest_depends_on_the_pepper(settings: Settings) -> None:
    before = digest("token")
    assert re.fullmatch(r"[0-9a-f]{64}", before)
    assert digest("token") == before
    settings.TOKEN_PEPPER = "another pepper of this installation"
    assert digest("token") != before


def test_texts_are_compared_whole_and_lone_surrogates_are_no_error() -> None:
    assert same("abc", "abc")
    assert not same("abc", "abd")
    assert not same("abc", "\ud800")
    assert digest("\ud800")


def test_random_tokens_are_safe_in_a_url_and_differ() -> None:
    tokens = {random_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9]{40}", token) for token in tokens)
    assert len(random_token(12)) == 12
