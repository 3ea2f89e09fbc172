"""Retry rules in the admin: own ones are edited, those for everybody only by who sees everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from callcenter.tests.factories import make_company, make_supervisor, make_user
from requests_app.states import Outcome
from telephony.models import RetryRule

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_retryrule_changelist")
ADD = reverse("admin:telephony_retryrule_add")


def page_of(rule: RetryRule) -> str:
    return reverse("admin:telephony_retryrule_change", args=[rule.pk])


@pytest.fixture
def for_all() -> RetryRule:
    rule, _made = RetryRule.objects.update_or_create(
        company=None, outcome=Outcome.BUSY, defaults={"max_tries": 5, "wait_seconds": 300}
    )
    return rule


def test_a_bound_supervisor_reads_the_rules_for_all_and_makes_their_own(client: Client, for_all: RetryRule) -> None:
    company = make_company()
    client.force_login(make_supervisor(company))
    page = client.get(LIST).content.decode()
    assert "Todas" in page
    assert "5 minutos" in page
    assert client.post(page_of(for_all), {"outcome": "busy", "max_tries": 1, "wait_seconds": 1}).status_code == 403
    assert client.post(reverse("admin:telephony_retryrule_delete", args=[for_all.pk])).status_code == 403
    assert client.post(ADD, {"company": "", "outcome": "fax", "max_tries": 2, "wait_seconds": 60}).context["errors"]
    data = {"company": company.pk, "outcome": "busy", "max_tries": 2, "wait_seconds": 60}
    assert client.post(ADD, data).status_code == 302
    assert "delete_selected" not in client.get(LIST).content.decode()


def test_an_unbound_administrator_changes_the_rules_for_all(client: Client, for_all: RetryRule) -> None:
    client.force_login(make_user())
    data = {"company": "", "outcome": "busy", "max_tries": 4, "wait_seconds": 60}
    assert client.post(page_of(for_all), data).status_code == 302
    for_all.refresh_from_db()
    assert (for_all.company, for_all.max_tries) == (None, 4)
