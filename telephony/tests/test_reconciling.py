"""The carrier's statement of a day against our attempts: each difference is told once, and nothing is changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone

from callcenter.lib.errors import Conflict
from callcenter.tests.factories import make_supervisor
from telephony.models import CallAttempt, CarrierDifference, DialerLine, DirectcallAccount, Reconciliation
from telephony.providers.base import ProviderError
from telephony.providers.directcall.values import VENDOR_ZONE
from telephony.services.reconciling import mark_seen, reconcile_day, reconcile_due
from telephony.tests.scenes import deliver, fresh, make_callcenter, placed_call
from telephony.tests.simulators.running import SimulatorProcess
from telephony.tests.test_asking import tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(directcall: SimulatorProcess) -> DialerLine:
    line = make_callcenter()
    DirectcallAccount.objects.update(base_url=directcall.url, client_id="demo@example.com", client_secret="123456")
    return line


def ended_call(line: DialerLine, word: str, *, callerid: str = "") -> CallAttempt:
    attempt = placed_call(line)
    deliver(word, callerid=callerid, destino=attempt.phone_e164)
    return fresh(attempt)[0]


def compare(line: DialerLine) -> list[tuple[str, int | None, str]]:
    """Kind, attempt and word of each difference of the days that the test may lie in."""
    account = DirectcallAccount.objects.get(company=line.company)
    now = timezone.now()
    today = now.astimezone(VENDOR_ZONE).date()
    # The test may have begun before midnight.
    for day in (today - timedelta(days=1), today):
        reconcile_day(account, day, now=now)
    return list(CarrierDifference.objects.order_by("kind", "pk").values_list("kind", "attempt", "carrier_says"))


def test_what_agrees_makes_no_difference(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = ended_call(line, "ocupado")
    tell(directcall, attempt, "busy", over=True)
    known = placed_call(line)
    callerid = tell(directcall, known, "no_answer", over=True)
    deliver("não atendeu", callerid=callerid, destino=known.phone_e164)
    # The PABX heard a machine where the carrier heard an answer.
    robot = ended_call(line, "caixa postal")
    tell(directcall, robot, "answered", over=True)
    assert compare(line) == []
    assert sum(Reconciliation.objects.values_list("calls", flat=True)) == 3
    assert sum(Reconciliation.objects.values_list("attempts", flat=True)) == 3


def test_each_difference_is_told_once_and_changes_nothing(line: DialerLine, directcall: SimulatorProcess) -> None:
    doubled = ended_call(line, "ocupado")
    first = tell(directcall, doubled, "busy", over=True)
    second = tell(directcall, doubled, "no_answer", over=True)
    missing = ended_call(line, "ocupado")
    other = ended_call(line, "ocupado")
    tell(directcall, other, "answered", over=True)
    stranger = CallAttempt(phone_e164="+554832817000")
    tell(directcall, stranger, "answered", over=True)
    expected = [
        ("doubled", doubled.pk, "nao atendeu"),
        ("missing", missing.pk, ""),
        ("outcome", other.pk, "atendida"),
        ("unknown", None, "atendida"),
    ]
    assert compare(line) == expected
    assert compare(line) == expected
    difference = CarrierDifference.objects.get(kind="doubled")
    assert difference.call_id == second != first
    assert fresh(other)[0].outcome == "busy"
    assert CarrierDifference.objects.get(kind="unknown").phone_e164 == stranger.phone_e164


def test_the_second_call_is_the_one_whose_id_is_not_ours(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = placed_call(line)
    stray = tell(directcall, attempt, "busy", over=True)
    ours = tell(directcall, attempt, "busy", over=True)
    deliver("ocupado", callerid=ours, destino=attempt.phone_e164)
    assert compare(line) == [("doubled", attempt.pk, "ocupado")]
    assert CarrierDifference.objects.get().call_id == stray


def test_a_call_nobody_claims_to_know_is_no_difference_when_the_statement_has_none(line: DialerLine) -> None:
    attempt = placed_call(line)
    CallAttempt.objects.filter(pk=attempt.pk).update(state="ended", outcome="no_news")
    assert compare(line) == []


def test_a_comparison_that_failed_is_taken_up_again_and_one_under_way_is_left_alone(
    line: DialerLine, directcall: SimulatorProcess
) -> None:
    account = DirectcallAccount.objects.get()
    day = timezone.now().astimezone(VENDOR_ZONE).date()
    plan = {"path": "/extrato/list", "faults": ["500", "500"]}
    requests.post(f"{directcall.url}/_simulator/faults", json=plan, timeout=5).raise_for_status()
    with pytest.raises(ProviderError):
        reconcile_day(account, day, now=timezone.now())
    assert Reconciliation.objects.get().problem == "unavailable"
    assert reconcile_day(account, day, now=timezone.now()).problem == ""
    Reconciliation.objects.update(finished_at=None)
    with pytest.raises(Conflict):
        reconcile_day(account, day, now=timezone.now())
    assert reconcile_day(account, day, now=timezone.now() + timedelta(hours=1)).finished_at


@pytest.mark.parametrize(("hour", "compared"), [(3, 0), (4, 1), (23, 1)])
def test_yesterday_is_compared_from_four_in_the_morning_and_once(
    line: DialerLine, time_machine: Any, hour: int, compared: int
) -> None:
    day = datetime(2026, 3, 1, 15, tzinfo=VENDOR_ZONE)
    time_machine.move_to(day, tick=True)
    placed_call(line)
    time_machine.move_to(datetime(2026, 3, 2, hour, 5, tzinfo=VENDOR_ZONE), tick=True)
    DirectcallAccount.objects.update(access_token="")
    assert reconcile_due(now=timezone.now()) == {"compared": compared, "failed": 0}
    assert reconcile_due(now=timezone.now())["compared"] == 0
    assert [str(each.day) for each in Reconciliation.objects.all()] == ["2026-03-01"][:compared]


def test_an_account_whose_secret_is_lost_keeps_no_other_from_being_compared(
    line: DialerLine, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 3, 1, 15, tzinfo=VENDOR_ZONE), tick=True)
    placed_call(line)
    time_machine.move_to(datetime(2026, 3, 2, 9, tzinfo=VENDOR_ZONE), tick=True)
    DirectcallAccount.objects.update(access_token="")
    lost = DirectcallAccount.objects.create(company=line.company, name="Antiga", client_id="x", client_secret="y")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE telephony_directcallaccount SET access_token = 'torn' WHERE id = %s", [lost.pk])
    assert reconcile_due(now=timezone.now()) == {"compared": 1, "failed": 1}


def test_a_person_marks_a_difference_as_seen_once(line: DialerLine) -> None:
    ended_call(line, "ocupado")
    compare(line)
    difference = CarrierDifference.objects.get()
    person = make_supervisor()
    mark_seen(difference, actor=person, now=timezone.now())
    difference.refresh_from_db()
    assert difference.seen_by == person
    with pytest.raises(Conflict):
        mark_seen(difference, actor=person, now=timezone.now())
    compare(line)
    assert CarrierDifference.objects.filter(seen_at=None).count() == 0
