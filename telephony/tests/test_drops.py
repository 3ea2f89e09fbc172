"""An answered call that drops leads to one callback, in the same conversation, as often as the company wants."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant, make_supervisor
from helpdesk.models import Atendimento, Message
from helpdesk.services.closing import close
from helpdesk.states import Platform, S
from helpdesk.tests.factories import make_channel, make_settings
from helpdesk.tests.scenes import reread
from requests_app import timeline
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Hold, Priority, Source
from telephony.models import AnsweredCall, CallAttempt, CallCommand, DialerLine, ProviderEvent
from telephony.services.answered import note_answered, tie_calls
from telephony.services.conversations import open_for_answered
from telephony.services.do_not_call import stop_calling
from telephony.services.events import apply_news
from telephony.services.moves import locked
from telephony.services.news import apply_received
from telephony.states import AfterDrop, CommandKind, CommandOutcome, DropReason, Meaning
from telephony.tests.scenes import claim, deliver, in_threads, make_callcenter, placed_call, send, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

pytestmark = pytest.mark.django_db

# Before the hours of any rule end, on a working day.
NOON = datetime.fromisoformat("2026-11-30T12:00:00-03:00")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def line() -> DialerLine:
    line = make_callcenter()
    make_channel(line.company, Platform.PHONE)
    return line


def talk(attempt: CallAttempt, clock: time_machine.Traveller, seconds: float, *, end: str = "desligou") -> None:
    """The customer answers, and the call is over after so many seconds; the helpdesk knows of both."""
    phone = attempt.phone_e164.removeprefix("+")
    deliver("atendeu", destino=phone)
    tie()
    clock.shift(timedelta(seconds=seconds))
    deliver(end, destino=phone)
    tie()


def tie() -> int:
    """What the next round brings to the helpdesk."""
    return tie_calls(now=timezone.now() + timedelta(seconds=1))


def call_of(attempt: CallAttempt) -> AnsweredCall:
    return AnsweredCall.objects.get(pk=attempt.pk)


def callback_of(attempt: CallAttempt) -> CallRequest:
    request_id = call_of(attempt).callback_request_id
    assert request_id is not None
    return CallRequest.objects.get(pk=request_id)


def answered_again(request: CallRequest, line: DialerLine, clock: time_machine.Traveller) -> CallAttempt:
    """The callback, dialed and out."""
    clock.shift(timedelta(seconds=5))
    (attempt,) = [one for one in claim(line) if one.call_request_id == request.pk]
    return send(attempt, call_id=f"again-{request.pk}")


def test_a_call_that_lasts_a_few_seconds_is_called_back_in_its_conversation(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    attempt = placed_call(line, name="Ana", time_from="08:00", time_to="20:00")
    talk(attempt, clock, 4)
    made, atendimento = callback_of(attempt), Atendimento.objects.get()
    assert (made.phone_e164, made.name, made.priority) == (attempt.phone_e164, "Ana", Priority.URGENT)
    assert (made.hold_reason, made.source) == (Hold.NONE, Source.HELPDESK)
    assert made.due_at is not None
    assert made.due_at <= timezone.now() + timedelta(seconds=1)
    assert (made.time_from, made.time_to) == ("08:00", "20:00")
    assert atendimento.protocol in (made.notes or "")
    assert (atendimento.call_request_id, call_of(attempt).atendimento_id) == (made.pk, atendimento.pk)
    assert f"#{made.pk}" in Message.objects.latest("number").text
    told = LedgerEntry.objects.filter(reason="dropped_call").order_by("call_request_id")
    assert [(one.call_request_id, one.detail) for one in told] == [
        (attempt.call_request_id, {"attempt": attempt.pk, "callback": made.pk}),
        (made.pk, {"attempt": attempt.pk, "after": attempt.call_request_id}),
    ]
    assert any("caiu" in str(entry.details) for entry in timeline.entries(made))
    assert call_of(attempt).drop == DropReason.SHORT
    # The callback goes on in the conversation that is open.
    talk(answered_again(made, line, clock), clock, 60)
    assert Atendimento.objects.get().protocol == atendimento.protocol
    assert CallRequest.objects.count() == 2


def test_a_talk_is_no_drop_and_neither_is_one_that_a_person_ended(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    talk(placed_call(line), clock, 7)
    finished = placed_call(line)
    CallCommand.objects.create(
        attempt=finished, kind=CommandKind.FINISH, at=timezone.now(), outcome=CommandOutcome.DONE
    )
    talk(finished, clock, 2)
    assert not AnsweredCall.objects.exclude(drop="").exists()
    assert call_of(finished).talked_seconds == 2
    assert CallRequest.objects.count() == 2


def test_what_the_network_cut_off_is_a_drop_however_long_it_was(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    attempt = placed_call(line)
    talk(attempt, clock, 300, end="falha")
    assert (call_of(attempt).drop, call_of(attempt).after) == (DropReason.NETWORK, AfterDrop.CALLBACK)
    # The hang-up of the other leg, told late, changes nothing.
    deliver("desligou", destino=attempt.phone_e164.removeprefix("+"))
    tie()
    assert CallRequest.objects.count() == 2


def test_news_that_come_together_late_are_no_short_call(line: DialerLine, clock: time_machine.Traveller) -> None:
    attempt = placed_call(line)
    phone = attempt.phone_e164.removeprefix("+")
    tell("atendeu", destino=phone)
    tell("desligou", destino=phone, duracao="95")
    apply_received(now=timezone.now())
    tie()
    assert (call_of(attempt).drop, call_of(attempt).talked_seconds) == ("", 95)
    backwards = placed_call(line)
    phone = backwards.phone_e164.removeprefix("+")
    tell("desligou", destino=phone)
    clock.shift(timedelta(seconds=1))
    tell("atendeu", destino=phone)
    apply_received(now=timezone.now())
    tie()
    assert (call_of(backwards).drop, call_of(backwards).talked_seconds) == ("", None)


def test_the_carrier_has_a_moment_to_say_how_long_a_call_was_that_the_pabx_ended(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    attempts = [placed_call(line), placed_call(line)]
    for attempt in attempts:
        for meaning in (Meaning.ANSWERED, Meaning.HANGUP):
            event = ProviderEvent(line=line, company=line.company, received_at=NOON, raw=b"", meaning=meaning)
            with transaction.atomic():
                apply_news(event, locked(attempt.pk), now=timezone.now())
        assert tie() >= 1
        assert call_of(attempt).after == ""
    deliver("desligou", destino=attempts[0].phone_e164.removeprefix("+"), duracao="00:01:35")
    clock.shift(timedelta(seconds=7))
    assert tie() == 2
    assert (call_of(attempts[0]).drop, call_of(attempts[0]).talked_seconds) == ("", 95)
    assert (call_of(attempts[1]).drop, call_of(attempts[1]).after) == (DropReason.SHORT, AfterDrop.CALLBACK)


def test_callbacks_that_drop_end_at_the_companys_limit(line: DialerLine, clock: time_machine.Traveller) -> None:
    make_settings(line.company, dropped_callbacks=2)
    attempts = [placed_call(line)]
    talk(attempts[0], clock, 1)
    for _ in range(2):
        attempts.append(answered_again(callback_of(attempts[-1]), line, clock))
        talk(attempts[-1], clock, 1)
    assert [call_of(one).after for one in attempts] == [AfterDrop.CALLBACK, AfterDrop.CALLBACK, AfterDrop.LIMIT]
    assert [call_of(one).nth_callback for one in attempts] == [1, 2, 3]
    assert CallRequest.objects.count() == 3
    assert Atendimento.objects.count() == 1
    assert "Limite" in Message.objects.latest("number").text


def test_a_company_may_want_no_callback_and_one_without_a_telephone_gets_none(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    make_settings(line.company, dropped_callbacks=0)
    attempt = placed_call(line)
    talk(attempt, clock, 1)
    assert (call_of(attempt).drop, call_of(attempt).after) == (DropReason.SHORT, AfterDrop.OFF)
    line.company.channel_set.update(is_active=False)
    other = placed_call(line)
    talk(other, clock, 1)
    assert not AnsweredCall.objects.filter(pk=other.pk).exists()
    assert CallRequest.objects.count() == 2


def test_what_is_concluded_or_not_wanted_any_more_is_not_called_back(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    done, listed = placed_call(line), placed_call(line)
    for attempt in (done, listed):
        deliver("atendeu", destino=attempt.phone_e164.removeprefix("+"))
    tie()
    close(call_of(done).atendimento_id, scope=None, now=timezone.now())  # type: ignore[arg-type]
    stop_calling(
        listed.phone_e164, company_id=line.company_id, reason="opt_out", actor=make_attendant(line.company), now=NOON
    )
    clock.shift(timedelta(seconds=3))
    for attempt in (done, listed):
        deliver("desligou", destino=attempt.phone_e164.removeprefix("+"))
    tie()
    assert (call_of(done).after, call_of(listed).after) == (AfterDrop.CONCLUDED, AfterDrop.LISTED)
    assert CallRequest.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_eight_jobs_at_once_open_one_conversation_and_ask_for_one_callback(
    line: DialerLine, clock: time_machine.Traveller
) -> None:
    attempt = placed_call(line)
    phone = attempt.phone_e164.removeprefix("+")
    deliver("atendeu", destino=phone)
    clock.shift(timedelta(seconds=2))
    deliver("desligou", destino=phone)
    in_threads(8, lambda _place: tie())
    assert CallRequest.objects.count() == 2
    assert Atendimento.objects.count() == 1
    assert Message.objects.count() == 2
    assert callback_of(attempt).phone_e164 == attempt.phone_e164
    # News that come once more ask once more, and find all done.
    note_answered({attempt.pk: attempt.company_id}, now=timezone.now())
    assert tie() == 1
    assert (CallRequest.objects.count(), Message.objects.count()) == (2, 2)
    assert call_of(attempt).due_at is None


def test_a_failure_is_tried_again_later_and_stops_no_other(
    line: DialerLine, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = placed_call(line), placed_call(line)
    for attempt in (bad, good):
        deliver("atendeu", destino=attempt.phone_e164.removeprefix("+"))

    def refuse(attempt: CallAttempt, **rest: object) -> Atendimento | None:
        if attempt.pk == bad.pk:
            raise RuntimeError
        return open_for_answered(attempt, **rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("telephony.services.answered.open_for_answered", refuse)
        assert tie() == 1
    assert tie() == 0
    assert call_of(bad).problem == "internal_error"
    clock.shift(timedelta(seconds=3))
    assert tie() == 1
    assert (call_of(bad).problem, call_of(bad).due_at) == ("", None)
    assert Atendimento.objects.count() == 2


def test_a_person_says_that_a_call_dropped_and_the_list_shows_it(
    client: Client, line: DialerLine, clock: time_machine.Traveller
) -> None:
    attempt = placed_call(line)
    talk(attempt, clock, 90)
    person = make_supervisor(line.company)
    client.force_login(person)
    atendimento = Atendimento.objects.get()
    address = reverse("admin:helpdesk_atendimento_do", args=[atendimento.pk])
    page = client.get(reverse("admin:helpdesk_atendimento_change", args=[atendimento.pk])).content.decode()
    assert "A ligação caiu: ligar de novo" in page
    assert "Retorno pedido" in client.post(address, {"do": "dropped"}, follow=True).content.decode()
    made = callback_of(attempt)
    assert LedgerEntry.objects.filter(call_request=made, actor=person).count() == 2
    assert call_of(attempt).drop == DropReason.PERSON
    assert "já foi tratada" in client.post(address, {"do": "dropped"}, follow=True).content.decode()
    assert CallRequest.objects.count() == 2
    listed = client.get(reverse("admin:telephony_answeredcall_changelist")).content.decode()
    assert f"#{made.pk}" in listed
    assert atendimento.protocol in listed
    assert reread(atendimento).state == S.QUEUED
