"""Stored secrets are written anew with the first key, whatever is interrupted or written meanwhile."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from callcenter.lib import secret_rotation
from callcenter.lib.secret_rotation import encrypted_columns, rotate
from callcenter.lib.secrets import is_current
from callcenter.tests.factories import make_account, make_company, make_line, make_webhook_endpoint
from telephony.models import DialerLine

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("rotate_secrets", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def old_key(settings: Settings) -> str:
    """The only key so far; `settings` gets a new one in front when the test says so."""
    key = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [key]
    return key


def put_new_key_in_front(settings: Settings) -> str:
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *settings.FIELD_ENCRYPTION_KEYS]
    return new


def stored(line: DialerLine) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT device_password FROM telephony_dialerline WHERE id = %s", [line.pk])
        return str(cursor.fetchone()[0])


def test_every_encrypted_column_of_every_model_is_found() -> None:
    names = {f"{model._meta.label}.{column}" for model, column in encrypted_columns()}
    assert {
        "telephony.DialerLine.api_key",
        "telephony.DialerLine.device_password",
        "telephony.DialerLine.account_password",
        "telephony.DirectcallAccount.client_secret",
        "telephony.DirectcallAccount.access_token",
        "requests_app.WebhookEndpoint.secret",
    } <= names


def test_after_a_rotation_the_old_key_can_go(old_key: str, settings: Settings) -> None:
    company = make_company()
    line = make_line(company, device_password="4567-of-the-device", api_key="")
    account = make_account(company, client_secret="123456")
    endpoint = make_webhook_endpoint(company)
    signing_secret = endpoint.secret
    new = put_new_key_in_front(settings)
    with pytest.raises(CommandError, match="Older keys are still needed"):
        run("--check")
    assert not is_current(stored(line))
    assert "Only the first key is needed now." in run()
    assert run("--check").count(" 0 of an older key, 0 unreadable") == len(encrypted_columns())
    settings.FIELD_ENCRYPTION_KEYS = [new]
    line.refresh_from_db()
    account.refresh_from_db()
    endpoint.refresh_from_db()
    assert (line.device_password, line.api_key, account.client_secret) == ("4567-of-the-device", "", "123456")
    assert endpoint.secret == signing_secret


def test_an_interrupted_rotation_is_continued(old_key: str, settings: Settings, monkeypatch: Any) -> None:
    monkeypatch.setattr(secret_rotation, "BATCH", 2)
    company = make_company()
    lines = [make_line(company, api_key="", account_password="") for _ in range(5)]
    new = put_new_key_in_front(settings)
    batches = iter(range(1))

    def stop() -> None:
        if next(batches, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(check_only=False, after_batch=stop)
    assert [is_current(stored(line)) for line in lines].count(False) == 1
    run()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert {line.device_password for line in DialerLine.objects.all()} == {"4567"}


def test_a_secret_that_is_changed_meanwhile_keeps_the_new_value(old_key: str, settings: Settings) -> None:
    line = make_line(make_company(), device_password="before")
    before = stored(line)
    put_new_key_in_front(settings)
    DialerLine.objects.update(device_password="typed meanwhile")
    secret_rotation._replace(DialerLine, "device_password", line.pk, stored=before, anew="lost")
    line.refresh_from_db()
    assert line.device_password == "typed meanwhile"


def test_what_no_key_opens_is_named_and_left_and_the_others_are_rotated(settings: Settings, old_key: str) -> None:
    company = make_company()
    lost = make_line(company, device_password="lost", api_key="", account_password="")
    unreadable = stored(lost)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    sound = make_line(company, device_password="sound", api_key="", account_password="")
    new = put_new_key_in_front(settings)
    with pytest.raises(CommandError, match=f"telephony.DialerLine.device_password of {lost.pk}$"):
        run()
    assert stored(lost) == unreadable
    settings.FIELD_ENCRYPTION_KEYS = [new]
    sound.refresh_from_db()
    assert sound.device_password == "sound"


def test_what_the_command_prints_is_no_secret(old_key: str, settings: Settings) -> None:
    make_line(make_company(), device_password="4567-of-the-device")
    put_new_key_in_front(settings)
    said = run()
    assert "4567-of-the-device" not in said
    assert "gAAAA" not in said
