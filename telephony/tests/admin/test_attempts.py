"""Call attempts in the admin: read-only, but for a person's word on a call in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant, make_supervisor
from telephony.models import AttemptEntry, CallAttempt, DialerLine
from telephony.services import moves
from telephony.states import AttemptState, MoveReason
from telephony.tests.scenes import claim, deliver, fresh, make_callcenter, make_due, placed_call, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import User

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_callattempt_changelist")


@pytest.fixture
def line() -> DialerLine:
    return make_callcenter()


@pytest.fixture
def supervisor(client: Client, line: DialerLine) -> User:
    user = make_supervisor(line.company)
    client.force_login(user)
    return user


def doubtful(line: DialerLine) -> CallAttempt:
    make_due(line.company)
    (attempt,) = claim(line)
    send(attempt)
    assert moves.doubt(attempt, reason=MoveReason.AMBIGUOUS, now=timezone.now())
    return attempt


def page_of(attempt: CallAttempt) -> str:
    return reverse("admin:telephony_callattempt_change", args=[attempt.pk])


@pytest.mark.parametrize(("called", "state"), [("1", AttemptState.ENDED), ("0", AttemptState.RELEASED)])
def test_a_supervisor_settles_a_call_in_doubt_on_its_page(
    client: Client, line: DialerLine, supervisor: User, called: str, state: str
) -> None:
    attempt = doubtful(line)
    assert "Esta ligação aconteceu?" in client.get(page_of(attempt)).content.decode()
    settle = reverse("admin:telephony_callattempt_settle", args=[attempt.pk])
    assert "Decidido" in client.post(settle, {"called": called}, follow=True).content.decode()
    attempt, request = fresh(attempt)
    assert (attempt.state, request.in_flight) == (state, False)
    assert AttemptEntry.objects.filter(attempt=attempt).latest("id").actor == supervisor
    again = client.post(settle, {"called": called}, follow=True).content.decode()
    assert "A chamada não está mais em dúvida." in again
    assert "Esta ligação aconteceu?" not in again


@pytest.mark.usefixtures("supervisor")
def test_several_are_settled_from_the_list_and_the_others_say_why_not(client: Client, line: DialerLine) -> None:
    doubt, running = doubtful(line), placed_call(line)
    data = {"action": "say_called", "_selected_action": [doubt.pk, running.pk]}
    page = client.post(LIST, data, follow=True).content.decode()
    assert "Feito para 1 linha." in page
    assert "A chamada não está mais em dúvida." in page
    assert fresh(running)[0].state == AttemptState.PLACED


def test_an_attendant_reads_attempts_and_settles_none(client: Client, line: DialerLine) -> None:
    client.force_login(make_attendant(line.company))
    attempt = doubtful(line)
    assert "Esta ligação aconteceu?" not in client.get(page_of(attempt)).content.decode()
    settle = reverse("admin:telephony_callattempt_settle", args=[attempt.pk])
    assert client.post(settle, {"called": "1"}).status_code == 403
    assert "say_called" not in client.get(LIST).content.decode()
    assert fresh(attempt)[0].state == AttemptState.IN_DOUBT


@pytest.mark.usefixtures("supervisor")
def test_nobody_writes_an_attempt_by_hand(client: Client, line: DialerLine) -> None:
    attempt = placed_call(line)
    assert client.post(page_of(attempt), {"state": "ended"}).status_code == 403
    assert client.get(reverse("admin:telephony_callattempt_add")).status_code == 403
    assert client.post(reverse("admin:telephony_callattempt_delete", args=[attempt.pk])).status_code == 403


@pytest.mark.usefixtures("supervisor")
def test_the_page_shows_the_moves_and_the_carriers_news(client: Client, line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("chamando", callerid="a-1", destino=attempt.phone_e164)
    page = client.get(page_of(attempt)).content.decode()
    assert "O PABX aceitou a chamada" in page
    assert "chamando" in page
    assert "a-1" in page


def test_the_list_costs_the_same_queries_however_long_it_is(
    client: Client, line: DialerLine, supervisor: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _more in range(2):
        placed_call(line)
        with django_assert_num_queries(10):
            client.get(LIST)
        for _n in range(10):
            placed_call(line)


@pytest.mark.usefixtures("supervisor")
def test_an_attempt_is_found_by_its_number_in_any_punctuation(client: Client, line: DialerLine) -> None:
    attempt, _other = placed_call(line, phone="(21) 98765-4321"), placed_call(line)
    found = client.get(f"{LIST}?q=(21) 98765-4321").context["cl"].result_list
    assert [one.pk for one in found] == [attempt.pk]
