"""Rules and vocabularies in the admin: own ones are edited, those for everybody only by who sees everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from callcenter.tests.factories import make_company, make_supervisor, make_user
from requests_app.states import Outcome
from telephony.models import FieldAlias, RetryRule, StatusAlias
from telephony.states import Meaning

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


@pytest.mark.parametrize("model", [StatusAlias, FieldAlias])
def test_the_carriers_words_are_read_by_a_bound_administrator_and_changed_by_who_sees_all(
    client: Client, model: type[StatusAlias] | type[FieldAlias]
) -> None:
    name = f"admin:telephony_{model._meta.model_name}"
    word = model.objects.order_by("pk")[0]
    page, delete = (reverse(f"{name}_{what}", args=[word.pk]) for what in ("change", "delete"))
    client.force_login(make_user(make_company()))
    assert client.get(page).status_code == 200
    assert client.post(page, {"word": "atendeu", "meaning": Meaning.BUSY}).status_code == 403
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(reverse(f"{name}_add")).status_code == 403
    client.post(
        reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": word.pk, "post": "yes"}
    )
    assert model.objects.filter(pk=word.pk).exists()
    client.force_login(make_user())
    assert client.post(delete, {"post": "yes"}).status_code == 302
