"""Keys that expire: valid until then, refused after, and shown as what they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.selectors import key_owner
from callcenter.accounts.services import issue_api_key, issue_login_key
from callcenter.tests.factories import make_user

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("seconds", "is_valid"), [(None, True), (60, True), (0, False), (-60, False)])
def test_a_key_is_valid_until_it_expires(seconds: int | None, is_valid: bool) -> None:
    user = make_user()
    expires_at = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    issued = issue_api_key(user, name="Loja", expires_at=expires_at)

    assert (key_owner(user.email, issued.secret) is not None) is is_valid


def test_the_staff_see_until_when_a_key_is_valid(client: Client) -> None:
    user = make_user(is_superuser=True)
    now = timezone.now()
    valid = issue_login_key(user, name="valid", now=now).key
    expired = issue_api_key(user, name="expired", expires_at=now - timedelta(days=1)).key
    client.force_login(user)

    rows = client.get(reverse("admin:accounts_apikey_changelist")).text.split("<tr>")
    page = client.get(reverse("admin:accounts_apikey_change", args=[valid.pk])).text

    assert "Válida" in next(row for row in rows if valid.prefix in row)
    assert "Expirada" in next(row for row in rows if expired.prefix in row)
    assert "Vale até" in page
