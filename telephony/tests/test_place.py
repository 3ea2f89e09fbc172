"""Placing: what each answer of the PABX means, and that nothing leaves once something stands against it."""

from __future__ import annotations

from datetime import time as clock
from typing import Any

import pytest
from django.utils import timezone

from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.intake import change_call_request
from requests_app.states import Hold, Source
from telephony.models import CallAttempt, DialerLine, OpeningHours
from telephony.services import placing
from telephony.services.placing import place_call
from telephony.states import AttemptState, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due

S = AttemptState


@pytest.fixture
def pabx() -> Any:
    """A PABX that takes every call."""
    with TinyPabx() as running:
        yield running


@pytest.fixture
def line(pabx: TinyPabx, db: None) -> DialerLine:
    """A line at it."""
    return make_callcenter(attendants=10, base_url=pabx.url)


def claimed(line: DialerLine, **fields: Any) -> CallAttempt:
    """One claimed attempt of a new request."""
    make_due(line.company, **fields)
    (attempt,) = claim(line)
    return attempt


def test_an_accepted_call_keeps_its_id_byte_for_byte(line: DialerLine, pabx: TinyPabx) -> None:
    attempt = claimed(line)
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.provider_call_id) == (S.PLACED, "08/07/24 10:46:19 010A 0001/00")
    assert (request.status, request.attempts, request.hold_reason) == ("in_progress", 1, Hold.IN_FLIGHT)
    assert [one.to_state for one in attempt.entries.all()] == ["sending", "placed"]
    assert pabx.numbers == [f"0{attempt.phone_e164[3:]}"]
    assert pabx.posts[0]["DADOS"] == attempt.token.hex


# status, body -> state of the attempt, its error, hold of the request, is it due again, tries counted
ANSWERS: dict[str, tuple[int | None, bytes | None, str, str, str, bool, int]] = {
    "400": (400, b"{}", "refused", "refused", "refused", False, 0),
    "404": (404, b"{}", "refused", "refused", "refused", False, 0),
    "422": (422, b"{}", "refused", "refused", "refused", False, 0),
    "401": (401, b"{}", "released", "unauthorized", "", True, 0),
    "403": (403, b"{}", "released", "unauthorized", "", True, 0),
    "302": (302, b"", "released", "misconfigured", "", True, 0),
    "500": (500, b"{}", "in_doubt", "ambiguous", "in_doubt", False, 1),
    "503": (503, b"{}", "in_doubt", "ambiguous", "in_doubt", False, 1),
    "429": (429, b"{}", "in_doubt", "ambiguous", "in_doubt", False, 1),
    "200 without an id": (200, b"{}", "in_doubt", "ambiguous", "in_doubt", False, 1),
    "200 with garbage": (200, b"<html>\xff", "in_doubt", "ambiguous", "in_doubt", False, 1),
    "200 with an endless answer": (200, b"x" * 70_000, "in_doubt", "ambiguous", "in_doubt", False, 1),
    "a cut connection": (None, None, "in_doubt", "ambiguous", "in_doubt", False, 1),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_each_answer_of_the_pabx_means_one_thing(answer: Any, line: DialerLine, pabx: TinyPabx) -> None:
    pabx.status_code, pabx.body, state, error, hold, is_due, tries = answer
    pabx.location = f"{pabx.url}/elsewhere" if pabx.status_code == 302 else ""
    attempt = claimed(line)
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.error_code) == (state, error)
    assert (request.hold_reason, request.due_at is not None, request.attempts) == (hold, is_due, tries)
    assert request.in_flight is (state == "in_doubt")
    kinds = LedgerEntry.objects.filter(call_request_id=request.pk).values_list("kind", flat=True)
    expected = {"refused": "outcome", "released": "released", "in_doubt": "in_doubt"}[state]
    assert expected in kinds
    line.refresh_from_db()
    assert line.suspended_reason == (error if error in {"unauthorized", "misconfigured"} else "")
    place_call(attempt.pk)
    assert len(pabx.posts) == 1


def test_without_a_connection_nothing_was_sent_and_the_wait_doubles(line: DialerLine) -> None:
    DialerLine.objects.update(base_url="http://127.0.0.1:9")
    waits = []
    (request,) = make_due(line.company)
    for _ in range(3):
        CallRequest.objects.update(due_at=timezone.now())
        (attempt,) = claim(line)
        place_call(attempt.pk)
        attempt, request = fresh(attempt)
        assert (attempt.state, attempt.entries.last().reason) == (S.RELEASED, MoveReason.NOT_SENT)  # type: ignore[union-attr]
        assert request.due_at is not None
        assert attempt.ended_at is not None
        waits.append(round((request.due_at - attempt.ended_at).total_seconds()))
    assert waits == [30, 60, 120]
    assert (request.status, request.attempts, request.hold_reason) == ("new", 0, Hold.RETRY_WAIT)


def test_a_claim_with_a_stale_token_is_not_sent(line: DialerLine, pabx: TinyPabx, monkeypatch: Any) -> None:
    attempt = claimed(line)
    # The lease ran out and somebody else was given the attempt, while this process waited for its turn.
    monkeypatch.setattr(
        placing, "_wait_for_turn", lambda _attempt: bool(CallAttempt.objects.update(claim_token="0" * 32))
    )
    place_call(attempt.pk)
    assert pabx.posts == []
    assert fresh(attempt)[0].state == S.CLAIMED


def edit(attempt: CallAttempt, **fields: Any) -> None:
    """Change the attempt's request as staff would."""
    assert attempt.call_request_id is not None
    origin = Origin(source=Source.ADMIN)
    change_call_request(attempt.call_request_id, scope=None, origin=origin, now=timezone.now(), fields=fields)


CHANGES: dict[str, tuple[Any, str, str, bool]] = {
    "closed": (lambda attempt: edit(attempt, status="completed"), "withdrawn", "finished", False),
    "given up": (lambda attempt: edit(attempt, status="no_answer"), "withdrawn", "finished", False),
    "another number": (lambda attempt: edit(attempt, phone="(21) 98888-7777"), "withdrawn", "", True),
    "no number": (lambda attempt: edit(attempt, phone="+7(999)111-22-33"), "withdrawn", "not_brazilian", False),
    "line off": (lambda _a: DialerLine.objects.update(is_enabled=False), "held", "", True),
    "line suspended": (lambda _a: DialerLine.objects.update(suspended_reason="unauthorized"), "held", "", True),
    "line closed": (lambda _a: OpeningHours.objects.all().delete(), "held", "", True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_between_claim_and_intent_stops_the_call(change: Any, line: DialerLine, pabx: TinyPabx) -> None:
    do, reason, hold, is_due = change
    attempt = claimed(line)
    do(attempt)
    place_call(attempt.pk)
    assert pabx.posts == []
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.entries.last().reason) == (S.RELEASED, reason)  # type: ignore[union-attr]
    assert (request.hold_reason, request.due_at is not None, request.in_flight) == (hold, is_due, False)
    assert request.attempts == 0


def test_a_contact_window_that_closed_meanwhile_puts_the_call_off(line: DialerLine, pabx: TinyPabx) -> None:
    attempt = claimed(line)
    hour = timezone.now().astimezone(line.company.zone).hour
    edit(attempt, time_from=f"{(hour + 2) % 24}:00", time_to=f"{(hour + 4) % 24}:00")
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (pabx.posts, attempt.state, request.hold_reason) == ([], S.RELEASED, Hold.CONTACT_WINDOW)
    assert request.due_at is not None
    assert request.due_at.astimezone(line.company.zone).time() == clock((hour + 2) % 24)


def test_a_process_that_slept_after_the_intent_sends_nothing(
    line: DialerLine, pabx: TinyPabx, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = claimed(line)
    boot_times = iter([100.0, 102.5])
    monkeypatch.setattr("telephony.services.placing.time.clock_gettime", lambda _clock: next(boot_times))
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (pabx.posts, attempt.state, attempt.error_code) == ([], S.RELEASED, "stale_intent")
    assert (request.in_flight, request.hold_reason) == (False, Hold.RETRY_WAIT)


def test_credentials_that_cant_be_decrypted_stop_the_line_and_not_the_request(
    line: DialerLine, pabx: TinyPabx, settings: Any
) -> None:
    attempt = claimed(line)
    settings.FIELD_ENCRYPTION_KEYS = ["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="]
    assert claim(line) == []
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (pabx.posts, attempt.state, attempt.error_code) == ([], S.RELEASED, "secret_unreadable")
    assert request.due_at is not None
    assert DialerLine.objects.values_list("suspended_reason", flat=True).get() == "misconfigured"
