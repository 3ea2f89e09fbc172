"""Rules and vocabularies in the admin: own ones are edited, those for everybody only by who sees everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_company, make_supervisor, make_user
from requests_app.states import Outcome
from telephony.models import FieldAlias, RetryHours, RetryRule, StatusAlias
from telephony.services import moves
from telephony.states import Meaning
from telephony.tests.scenes import fresh, make_callcenter, placed_call

if TYPE_CHECKING:
    from django.test import Client

    from requests_app.models import CallRequest

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_retryrule_changelist")
ADD = reverse("admin:telephony_retryrule_add")

HOURS = {
    "hours-TOTAL_FORMS": 1, "hours-INITIAL_FORMS": 0, "hours-MIN_NUM_FORMS": 0, "hours-MAX_NUM_FORMS": 1000,
    "hours-0-weekday": 0, "hours-0-opens_at": "09:00", "hours-0-closes_at": "12:00",
}  # fmt: skip
NO_HOURS = {**HOURS, "hours-TOTAL_FORMS": 0}
PLAIN = {**NO_HOURS, "growth": 1, "jitter_percent": 0}


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
    data = {"company": company.pk, "outcome": "busy", "max_tries": 2, "wait_seconds": 60, **PLAIN}
    assert client.post(ADD, data).status_code == 302
    assert "delete_selected" not in client.get(LIST).content.decode()


def test_an_unbound_administrator_changes_the_rules_for_all(client: Client, for_all: RetryRule) -> None:
    client.force_login(make_user())
    data = {"company": "", "outcome": "busy", "max_tries": 4, "wait_seconds": 60, **PLAIN}
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


@pytest.fixture
def waiting(client: Client, for_all: RetryRule) -> CallRequest:
    """A request that waits after a busy line, and the browser of an administrator of everything."""
    client.force_login(make_user())
    attempt = placed_call(make_callcenter())
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=now)
    return fresh(attempt)[1]


def form(**fields: object) -> dict[str, object]:
    return {"company": "", "outcome": "busy", "max_tries": 5, "wait_seconds": 7200, "growth": 1, **fields}


def test_a_rule_that_moves_who_waits_is_shown_before_it_is_saved(
    client: Client, for_all: RetryRule, waiting: CallRequest
) -> None:
    data = form(jitter_percent=0, **NO_HOURS)
    page = client.post(page_of(for_all), data)
    assert page.status_code == 200
    text = page.content.decode()
    assert "1 pedido que aguarda seria tentado" in text
    assert "Salvar e remarcar 1" in text
    for_all.refresh_from_db()
    assert for_all.wait_seconds == 300
    assert client.post(page_of(for_all), {**data, "_confirmed": "later"}).status_code == 302
    for_all.refresh_from_db()
    was_due_at = waiting.due_at
    waiting.refresh_from_db()
    assert (for_all.wait_seconds, waiting.due_at) == (7200, was_due_at)


def test_who_waits_can_be_moved_with_the_rule(client: Client, for_all: RetryRule, waiting: CallRequest) -> None:
    data = form(jitter_percent=0, **NO_HOURS, _confirmed="waiting")
    assert "1 pedido remarcado" in client.post(page_of(for_all), data, follow=True).content.decode()
    was_due_at = waiting.due_at
    waiting.refresh_from_db()
    assert was_due_at is not None
    assert waiting.due_at == was_due_at + timedelta(seconds=7200 - 300)


def test_a_simulation_that_is_asked_for_is_shown_with_the_hours_that_were_typed(
    client: Client, for_all: RetryRule, waiting: CallRequest
) -> None:
    page = client.post(page_of(for_all), form(jitter_percent=0, **HOURS, _simulate="1"))
    ((at, count),) = page.context["first"]
    assert (count, at.weekday(), 9 <= at.hour < 12) == (1, 0, True)
    assert {"hours-0-weekday", "max_tries"} <= {name for name, _value in page.context["kept"]}
    assert not RetryHours.objects.exists()
    client.post(page_of(for_all), form(jitter_percent=0, **HOURS, _confirmed="later"))
    assert [str(block) for block in for_all.hours.all()] == ["Segunda-feira 09:00–12:00"]
    with CaptureQueriesContext(connection) as queries:
        assert "Segunda-feira 09:00–12:00" in client.get(LIST).content.decode()
    assert len(queries) <= 10


def test_hours_that_end_before_they_begin_and_foreign_companies_get_no_preview(
    client: Client, for_all: RetryRule, waiting: CallRequest
) -> None:
    wrong = {**HOURS, "hours-0-closes_at": "08:00"}
    page = client.post(page_of(for_all), form(jitter_percent=0, **wrong, _simulate="1"))
    assert "Precisa ser depois da abertura" in page.content.decode()
    client.force_login(make_supervisor(make_company()))
    page = client.post(ADD, form(jitter_percent=0, company=waiting.company_id, **NO_HOURS, _simulate="1"))
    assert page.context["errors"]
    assert "kept" not in page.context
    assert client.post(page_of(for_all), form(**NO_HOURS, _simulate="1")).status_code == 403
