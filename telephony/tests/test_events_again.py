"""News that could not be used, and is read again after a person has mended what stood against it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_account, make_attendant, make_call_request, make_company, make_line
from telephony.models import CallAttempt, ProviderEvent, StatusAlias
from telephony.services.dialing import claim_due_calls
from telephony.services.events import apply_event, apply_event_again, store_event
from telephony.states import AttemptState

pytestmark = pytest.mark.django_db


def event_with(body: bytes) -> ProviderEvent:
    """A stored delivery about a fresh company's only placed call."""
    company = make_company()
    make_attendant(company)
    make_call_request(company, phone="(11) 98765-4321")
    now = timezone.now()
    (attempt_id,) = claim_due_calls(make_line(company).pk, now=now)
    CallAttempt.objects.filter(pk=attempt_id).update(state=AttemptState.PLACED, sending_at=now, placed_at=now)
    account = make_account(company)
    return store_event(account, body=body, content_type="application/x-www-form-urlencoded", now=now)


def test_a_word_added_to_the_table_gives_an_applied_event_its_meaning() -> None:
    body = urlencode({"data": '{"destino": "5511987654321", "status": "linha muda", "callerid": "c-1"}'}).encode()
    event = event_with(body)
    assert apply_event(event.pk, now=timezone.now())
    event.refresh_from_db()
    assert event.attempt is not None
    assert (event.meaning, event.attempt.state) == ("unknown", AttemptState.PLACED)

    StatusAlias.objects.create(word="linha muda", meaning="no_answer")
    assert apply_event_again(event.pk, now=timezone.now())

    event.refresh_from_db()
    assert (event.state, event.meaning) == ("applied", "no_answer")
    assert event.attempt is not None
    assert event.attempt.state == AttemptState.ENDED


def test_an_unreadable_body_is_read_again_and_stays_unreadable() -> None:
    event = event_with(b"data=%7Bbroken")
    assert not apply_event(event.pk, now=timezone.now())
    assert not apply_event_again(event.pk, now=timezone.now())
    event.refresh_from_db()
    assert event.state == ProviderEvent.State.UNREADABLE


def test_an_event_that_failed_five_times_gets_another_chance() -> None:
    body = urlencode({"data": '{"destino": "5511987654321", "status": "ocupado"}'}).encode()
    event = event_with(body)
    ProviderEvent.objects.filter(pk=event.pk).update(
        state=ProviderEvent.State.FAILED, tries=5, problem="internal_error"
    )
    assert not apply_event(event.pk, now=timezone.now())
    assert apply_event_again(event.pk, now=timezone.now())
    event.refresh_from_db()
    assert (event.state, event.problem) == ("applied", "")
