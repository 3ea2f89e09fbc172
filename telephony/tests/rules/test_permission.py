"""Rules at work: asked when claiming, asked again before sending, kept with the attempt, and told to staff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from callcenter.lib.number_digests import number_digest
from callcenter.tests.factories import make_company, make_line, make_user
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.intake import change_call_request, create_call_request, dial_now
from requests_app.states import Hold, Outcome, Source
from telephony.models import CallAttempt, CallingRule, ContactPreference
from telephony.rule_terms import Activity, Ground
from telephony.services import dialing, moves, placing
from telephony.services.calling_rules import delete_rule, store_rule
from telephony.services.do_not_call import authorise, list_for, stop_calling
from telephony.services.permission import refusal_before_sending, refusals_before_sending
from telephony.services.rule_snapshot import mark_changed
from telephony.states import AttemptState, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, in_threads, make_callcenter, make_due, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from callcenter.accounts.models import Company

# A Monday without a holiday, noon in São Paulo.
NOON = datetime(2026, 11, 23, 15, tzinfo=UTC)
SUNDAY = NOON - timedelta(days=1)
PHONE = "(11) 98765-4321"
E164 = "+5511987654321"


def make_rule(**fields: Any) -> CallingRule:
    """A stored rule of the house."""
    return store_rule(CallingRule(code=fields.pop("code", "teste"), name="Teste", **fields), actor=None)


def end_busy(attempt: CallAttempt, *, now: datetime) -> None:
    """End a placed call."""
    with transaction.atomic():
        assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=now)


def imported(company: Company, *, now: datetime = NOON, **fields: Any) -> CallRequest:
    """A request that nobody can be shown to have asked for."""
    values = {"phone": PHONE, **fields}
    return create_call_request(company.pk, origin=Origin(source=Source.IMPORT), now=now, fields=values)


@pytest.mark.django_db
def test_the_decision_is_kept_with_the_attempt_without_the_number() -> None:
    line = make_callcenter()
    with time_machine.travel(SUNDAY):
        make_due(line.company, phone=PHONE)
        (attempt,) = claim(line, now=SUNDAY)
    kept = attempt.permission
    assert kept is not None
    rule = CallingRule.objects.get(code="sart-horario")
    assert kept["objections"] == [[rule.pk, 1, "hours", "lifted"]]
    assert (kept["allowed"], kept["activity"], kept["state"], kept["calls_today"]) == (True, "callback", "SP", 0)
    assert kept["asked_at"] == SUNDAY.isoformat()
    assert CallingRule.objects.get(code="casa-limite").pk in kept["rules"]
    assert "987654321" not in str(kept)


@pytest.mark.django_db
def test_a_request_without_evidence_waits_for_the_hours_and_says_so() -> None:
    line = make_callcenter()
    request = imported(line.company, now=SUNDAY)
    assert claim(line, now=SUNDAY) == []
    request.refresh_from_db()
    assert request.hold_reason == Hold.CALLING_HOURS
    assert request.due_at == NOON - timedelta(hours=3)
    assert len(claim(line, now=request.due_at)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "is_evidence"), [(Source.CSCART, True), (Source.VENDDOR, True), (Source.IMPORT, False)]
)
def test_a_new_number_needs_somebody_who_asked_for_it(source: Source, is_evidence: bool) -> None:
    line = make_callcenter()
    with time_machine.travel(SUNDAY):
        (request,) = make_due(line.company, phone=PHONE)
        change_call_request(
            request.pk, scope=None, origin=Origin(source=source), now=SUNDAY, fields={"phone": "(11) 98765-0000"}
        )
    assert len(claim(line, now=SUNDAY)) == int(is_evidence)


@pytest.mark.django_db
def test_an_entry_of_before_the_digests_is_evidence_while_the_number_stays() -> None:
    line = make_callcenter()
    with time_machine.travel(SUNDAY):
        make_due(line.company, phone=PHONE)
    LedgerEntry.objects.update(detail={})
    assert len(claim(line, now=SUNDAY)) == 1


@pytest.mark.django_db
def test_the_line_says_what_it_calls_for() -> None:
    line = make_callcenter(activity=Activity.TELEMARKETING)
    with time_machine.travel(NOON):
        (request,) = make_due(line.company, phone="(21) 98765-4321")
    evening = NOON + timedelta(hours=7)
    assert claim(line, now=evening) == []
    request.refresh_from_db()
    # Eight in Rio by its law; the code of conduct, which opens at nine, is lifted by the request.
    assert (request.hold_reason, request.due_at) == (Hold.CALLING_HOURS, NOON + timedelta(hours=20))


@pytest.mark.django_db
def test_a_days_calls_count_over_lines_companies_and_manual_ones_and_those_in_doubt() -> None:
    make_rule(daily_cap=3)
    lines = [make_callcenter(secret=name) for name in "abc"]
    now = NOON
    with time_machine.travel(NOON, tick=False):
        for line in lines:
            (request,) = make_due(line.company, phone=PHONE)
            CallRequest.objects.filter(pk=request.pk).update(due_at=now)
            (attempt,) = claim(line, now=now)
            send(attempt, now=now)
            CallAttempt.objects.filter(pk=attempt.pk).update(state=AttemptState.IN_DOUBT)
            # Whoever is not called by mistake must not be called too often by mistake either.
            dialing.settle_doubt(attempt.pk, called=True, actor=make_user(), scope=None, now=now)
        (again,) = make_due(make_line(make_callcenter(secret="d").company).company, phone=PHONE)
        dial_now(again.pk, scope=None, origin=Origin(source=Source.ADMIN), now=now)
        other = again.company.dialerline_set.first()
        assert other is not None
        assert claim(other, now=now) == []
    again.refresh_from_db()
    assert again.hold_reason == Hold.DAILY_CAP
    # Midnight in São Paulo.
    assert again.due_at == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert len(claim(other, now=again.due_at)) == 1


@pytest.mark.django_db
def test_who_was_surely_not_called_was_not_called() -> None:
    make_rule(daily_cap=1)
    line = make_callcenter()
    with time_machine.travel(NOON, tick=False):
        make_due(line.company, phone=PHONE)
        (attempt,) = claim(line, now=NOON)
        assert moves.release(attempt, expected=["claimed"], reason=MoveReason.NOT_SENT, due_at=NOON, now=NOON)
    assert len(claim(line, now=NOON + timedelta(seconds=5))) == 1


@pytest.mark.django_db
def test_a_day_is_that_of_who_is_called() -> None:
    make_rule(daily_cap=1)
    line = make_callcenter()
    late = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    with time_machine.travel(NOON, tick=False):
        made = make_due(line.company, 1, phone="(68) 98765-4321") + make_due(line.company, 1, phone=PHONE)
        for attempt in claim(line, now=late):
            send(attempt, now=late, call_id=f"x{attempt.pk}")
            moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=late)
    CallRequest.objects.update(due_at=late + timedelta(minutes=10))
    # Half past four in UTC is the 23rd in Acre and the 24th in São Paulo; both were called on that day of theirs.
    assert claim(line, now=late + timedelta(minutes=10)) == []
    waits = {one.pk: one.due_at for one in CallRequest.objects.all()}
    assert waits == {
        made[0].pk: datetime(2026, 11, 24, 5, tzinfo=UTC),
        made[1].pk: datetime(2026, 11, 25, 3, tzinfo=UTC),
    }


@pytest.mark.django_db
def test_a_listed_number_is_held_with_its_reason_until_somebody_decides() -> None:
    line = make_callcenter()
    stop_calling(E164, company_id=None, reason="opt_out", actor=None, now=NOON)
    with time_machine.travel(NOON, tick=False):
        (request,) = make_due(line.company, phone=PHONE)
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert (request.hold_reason, request.due_at) == (Hold.DO_NOT_CALL, None)
    assert request.ledger.filter(kind="held", reason=Hold.DO_NOT_CALL).count() == 1
    assert claim(line, now=NOON + timedelta(days=3)) == []


@pytest.mark.django_db
def test_another_companys_list_is_its_own_business() -> None:
    line = make_callcenter()
    stop_calling(E164, company_id=make_company().pk, reason="opt_out", actor=None, now=NOON)
    with time_machine.travel(NOON, tick=False):
        make_due(line.company, phone=PHONE)
    assert len(claim(line, now=NOON)) == 1


@pytest.mark.django_db
def test_an_authorisation_opens_a_public_list_for_one_company() -> None:
    lines = [make_callcenter(secret=name, activity=Activity.TELEMARKETING) for name in "ab"]
    public = list_for("procon_sp", company_id=None)
    stop_calling(E164, company_id=None, list_id=public.pk, reason="", actor=None, now=NOON - timedelta(days=40))
    authorise(
        E164, company_id=lines[0].company_id, list_kind="procon_sp", given_on=NOON.date(), valid_to=None,
        evidence="gravação 77", now=NOON,
    )  # fmt: skip
    with time_machine.travel(NOON, tick=False):
        for line in lines:
            make_due(line.company, phone=PHONE)
    assert [len(claim(line, now=NOON)) for line in lines] == [1, 0]


@pytest.mark.django_db
def test_what_a_person_said_of_their_place_and_hours_holds() -> None:
    line = make_callcenter()
    ContactPreference.objects.create(
        company=line.company, number_digest=number_digest(E164), state="AC", hours="todos 10:00-12:00"
    )
    request = imported(line.company, now=NOON - timedelta(hours=1))
    assert claim(line, now=NOON - timedelta(hours=1)) == []
    request.refresh_from_db()
    # Ten in Acre, and no sooner than the code of conduct allows there.
    assert (request.hold_reason, request.due_at) == (Hold.CALLING_HOURS, NOON)
    (attempt,) = claim(line, now=NOON)
    assert attempt.permission is not None
    assert (attempt.permission["state"], attempt.permission["zone"]) == ("AC", "America/Rio_Branco")


@pytest.mark.django_db
def test_a_changed_rule_holds_from_the_next_question_on() -> None:
    line = make_callcenter()
    rule = make_rule(daily_cap=0)
    with time_machine.travel(NOON, tick=False):
        (request,) = make_due(line.company, phone=PHONE)
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert (request.hold_reason, request.due_at) == (Hold.RULES, None)
    delete_rule(rule, actor=None)
    CallRequest.objects.update(due_at=NOON, hold_reason="")
    assert len(claim(line, now=NOON)) == 1


@pytest.mark.django_db
def test_lists_of_another_key_stop_all_dialing_instead_of_letting_everybody_through(settings: Any) -> None:
    line = make_callcenter()
    stop_calling("+5511912345678", company_id=None, reason="opt_out", actor=None, now=NOON)
    settings.TOKEN_PEPPER = "another pepper, of more than thirty-two characters"
    mark_changed()
    with time_machine.travel(NOON, tick=False):
        (request,) = make_due(line.company, phone=PHONE)
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert request.hold_reason == Hold.RULES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("obstacle", ["listed", "hours", "cap"])
def test_what_came_up_after_the_claim_stops_the_call_before_it_is_sent(obstacle: str) -> None:
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url)
        (request,) = make_due(line.company, phone=PHONE)
        (attempt,) = claim(line)
        if obstacle == "listed":
            stop_calling(E164, company_id=None, reason="wrong_person", actor=None, now=timezone.now())
        elif obstacle == "hours":
            make_rule(hours="seg 00:00-00:01", valid_from="2020-01-01", daily_cap=0)
        else:
            make_rule(daily_cap=0)
        placing.place_call(attempt.pk)
        assert pabx.posts == []
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.entries.last().reason) == ("released", MoveReason.NOT_PERMITTED)  # type: ignore[union-attr]
    assert claim(line) == []
    request.refresh_from_db()
    assert request.hold_reason == (Hold.DO_NOT_CALL if obstacle == "listed" else Hold.RULES)


@pytest.mark.django_db
def test_a_claim_that_was_let_through_is_stopped_at_the_cap_when_it_is_sent() -> None:
    line = make_callcenter()
    with time_machine.travel(NOON, tick=False):
        make_due(line.company, 2, phone=PHONE)
        (first,) = claim(line, now=NOON)
        assert refusal_before_sending(first, line=line, now=NOON) is None
        end_busy(send(first, now=NOON, call_id="x"), now=NOON)
        (later,) = claim(line, now=NOON + timedelta(seconds=5))
        make_rule(daily_cap=1)
        refused = refusal_before_sending(later, line=line, now=NOON)
    assert refused is not None
    assert [one.ground for one in refused.decision.blocking] == [Ground.CAP]


@pytest.mark.django_db
def test_the_question_before_a_call_costs_one_query(django_assert_num_queries: Callable[..., Any]) -> None:
    line = make_callcenter()
    with time_machine.travel(NOON, tick=False):
        make_due(line.company, phone=PHONE)
        (attempt,) = claim(line, now=NOON)
        with django_assert_num_queries(1):
            assert refusal_before_sending(attempt, line=line, now=NOON) is None


@pytest.mark.django_db
def test_each_of_many_calls_is_judged_by_itself(django_assert_num_queries: Callable[..., Any]) -> None:
    line, other = make_callcenter(), make_callcenter(secret="other", activity=Activity.TELEMARKETING)
    listed, capped, wishing, *plain = (f"(11) 98765-432{n}" for n in range(6))
    with time_machine.travel(NOON, tick=False):
        make_due(line.company, phone=capped)
        end_busy(send(*claim(line, now=NOON), now=NOON, call_id="x"), now=NOON)
        for phone in (listed, capped, wishing, *plain[:2]):
            make_due(line.company, phone=phone)
        make_due(other.company, phone=plain[2])
        later = NOON + timedelta(seconds=5)
        asking = [*claim(line, now=later), *claim(other, now=later)]
        lines = {line.pk: line, other.pk: other}
        with django_assert_num_queries(1):
            assert refusals_before_sending(asking, lines=lines, now=later) == {}
        make_rule(daily_cap=1)
        make_rule(code="dela", company=other.company, daily_cap=0)
        stop_calling("+5511987654320", company_id=None, reason="wrong_person", actor=None, now=later)
        digest = number_digest("+5511987654322")
        ContactPreference.objects.create(number_digest=digest, company=line.company, daily_cap=0)
        refused = refusals_before_sending(asking, lines=lines, now=later)
    numbers = {attempt.phone_e164: refused.get(attempt.pk) for attempt in asking}
    grounds = {
        phone: {one.ground for one in verdict.decision.blocking} for phone, verdict in numbers.items() if verdict
    }
    assert grounds == {
        "+5511987654320": {Ground.LISTED},
        "+5511987654321": {Ground.CAP},
        "+5511987654322": {Ground.CAP},
        "+5511987654325": {Ground.CAP},
    }
    assert len(numbers) == 6


@pytest.mark.django_db(transaction=True)
def test_eight_claimers_at_once_never_exceed_a_numbers_day(monkeypatch: pytest.MonkeyPatch) -> None:
    # Eight threads wait for each other's commits; on a busy machine longer than an intent may.
    monkeypatch.setattr(placing, "STALE_AFTER_SECONDS", 60.0)
    make_rule(daily_cap=2)
    lines = [make_callcenter(secret=f"s{n}") for n in range(8)]
    for line in lines:
        make_due(line.company, phone=PHONE)

    def claim_and_send(place: int) -> None:
        for _round in range(2):
            for attempt in claim(lines[place]):
                placing.place_call(attempt.pk)
                end_busy(attempt, now=timezone.now())

    with TinyPabx() as pabx:
        for line in lines:
            line.base_url = pabx.url
            line.save(update_fields=["base_url"])
        in_threads(8, claim_and_send)
        for place in range(8):
            claim_and_send(place)
        assert len(pabx.posts) == 2
    held = CallRequest.objects.filter(hold_reason=Hold.DAILY_CAP)
    assert held.count() == 6
    assert all(one.due_at is not None and one.due_at > timezone.now() for one in held)
