"""The journal: calls of a moment share commits, each is judged by itself, and none waits for what it needn't."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError

from requests_app.models import CallRequest, LedgerEntry
from telephony.models import AttemptEntry, CallAttempt
from telephony.services import intents, journal, placing
from telephony.services.placing import POOL_SIZE, place_calls
from telephony.states import AttemptState, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, make_callcenter, make_due

if TYPE_CHECKING:
    from django.db.models import QuerySet

pytestmark = pytest.mark.django_db(transaction=True)

S = AttemptState
CALLS = POOL_SIZE + 10


@pytest.fixture
def pabx(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A PABX that takes every call, at however busy a machine."""
    monkeypatch.setattr(placing, "STALE_AFTER_SECONDS", 60.0)
    with TinyPabx() as running:
        yield running


def claimed(pabx: TinyPabx, calls: int = CALLS) -> list[CallAttempt]:
    """So many claimed attempts of a line at the PABX."""
    line = make_callcenter(attendants=calls, base_url=pabx.url, max_calls_at_once=calls, calls_per_second=1e6)
    make_due(line.company, calls)
    return claim(line)


def request_of(attempt: CallAttempt) -> QuerySet[CallRequest]:
    """Its request."""
    return CallRequest.objects.filter(call_attempts=attempt)


def ids_of(attempts: list[CallAttempt]) -> list[int]:
    """Their ids."""
    return [attempt.pk for attempt in attempts]


def test_an_intent_waits_for_no_answer_to_be_stored(pabx: TinyPabx, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, store, all_sent = claimed(pabx), journal._store, threading.Event()
    waited: list[bool] = []

    def note(_fields: Any) -> None:
        if len(pabx.posts) == CALLS:
            all_sent.set()

    def slow_store(said: list[Any]) -> None:
        waited.append(all_sent.wait(60))
        store(said)

    pabx.before_answer = note
    monkeypatch.setattr(journal, "_store", slow_store)
    place_calls(ids_of(attempts))
    assert all(waited)
    assert set(CallAttempt.objects.values_list("state", flat=True)) == {S.PLACED}


def test_never_more_calls_are_on_their_way_than_the_pool_has_threads(pabx: TinyPabx) -> None:
    attempts = claimed(pabx, 2 * POOL_SIZE)
    lock, is_full = threading.Lock(), threading.Event()
    now, most = 0, 0

    def note(_fields: Any) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == POOL_SIZE:
                is_full.set()
        # Nobody is answered before as many as may be are there.
        is_full.wait(60)
        with lock:
            now -= 1

    pabx.before_answer = note
    place_calls(ids_of(attempts))
    assert (most, len(pabx.posts)) == (POOL_SIZE, 2 * POOL_SIZE)


def test_calls_placed_together_leave_what_one_leaves(pabx: TinyPabx) -> None:
    attempts = claimed(pabx)
    again = request_of(attempts[0]).get()
    CallRequest.objects.filter(pk=again.pk).update(status="in_progress", attempts=1)
    place_calls(ids_of(attempts))
    for attempt in CallAttempt.objects.all():
        assert (attempt.state, attempt.lease_until, attempt.error_code) == (S.PLACED, None, "")
        assert attempt.placed_at is not None
        assert attempt.sending_at is not None
        assert attempt.sending_at <= attempt.placed_at
    sent = [fields["DADOS"] for fields in pabx.posts]
    assert sorted(sent) == sorted(attempt.token.hex for attempt in attempts)
    assert CallAttempt.objects.exclude(provider_call_id="").values("provider_call_id").distinct().count() == CALLS
    moved = list(AttemptEntry.objects.order_by("attempt_id", "id").values_list("from_state", "to_state", "reason"))
    assert moved == CALLS * [
        ("claimed", "sending", MoveReason.INTENT),
        ("sending", "placed", MoveReason.ACCEPTED),
    ]
    tries = dict(CallRequest.objects.values_list("pk", "attempts"))
    assert tries == {one.call_request_id: 2 if one.call_request_id == again.pk else 1 for one in attempts}
    assert set(CallRequest.objects.values_list("status", flat=True)) == {"in_progress"}
    first = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.STATUS, reason="dialed")
    assert set(first.values_list("call_request_id", flat=True)) == set(tries) - {again.pk}
    assert first.count() == CALLS - 1


def test_one_intent_that_cant_be_written_holds_up_no_other(pabx: TinyPabx, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, commit_intents = claimed(pabx), intents.commit_intents
    bad = attempts[3].pk

    def commit_or_fail(asking: Any) -> set[int]:
        if any(attempt.pk == bad for attempt in asking):
            raise DatabaseError("one row can't be written")
        return commit_intents(asking)

    monkeypatch.setattr(journal, "commit_intents", commit_or_fail)
    place_calls(ids_of(attempts))
    states = dict(CallAttempt.objects.values_list("pk", "state"))
    assert states.pop(bad) == S.CLAIMED
    assert set(states.values()) == {S.PLACED}
    assert len(pabx.posts) == CALLS - 1


def test_a_commit_that_fails_at_its_end_leaves_its_claims_to_the_next_try(
    pabx: TinyPabx, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = claimed(pabx, 5)

    def fail_once(name: str) -> None:
        if name == "before_intent_commit":
            monkeypatch.undo()
            raise DatabaseError("the commit failed")

    monkeypatch.setattr(intents, "crash_point", fail_once)
    with pytest.raises(DatabaseError):
        intents.commit_intents(attempts)
    assert set(CallAttempt.objects.values_list("state", flat=True)) == {S.CLAIMED}
    assert intents.commit_intents(attempts) == set(ids_of(attempts))


def test_what_stands_against_one_call_stops_that_one_alone(pabx: TinyPabx) -> None:
    attempts = claimed(pabx, 12)
    closed, renumbered, taken, expired = attempts[:4]
    request_of(closed).update(status="completed")
    request_of(renumbered).update(phone_e164="+5511900000000")
    CallAttempt.objects.filter(pk=taken.pk).update(claim_token="0" * 32)
    CallAttempt.objects.filter(pk=expired.pk).update(lease_until=expired.claimed_at)
    granted = intents.commit_intents(attempts)
    assert granted == {one.pk for one in attempts[4:]}
    states = dict(CallAttempt.objects.values_list("pk", "state"))
    assert [states[one.pk] for one in attempts[:4]] == [S.RELEASED, S.RELEASED, S.CLAIMED, S.CLAIMED]
    assert {states[pk] for pk in granted} == {S.SENDING}
    # Nobody can use the claim again.
    assert intents.commit_intents(attempts) == set()
    reasons = AttemptEntry.objects.filter(to_state=S.RELEASED).values_list("attempt_id", "reason")
    assert dict(reasons) == {closed.pk: MoveReason.WITHDRAWN, renumbered.pk: MoveReason.WITHDRAWN}
