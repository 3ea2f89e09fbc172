"""Who may write about a channel, and what the dialer makes of it: with a lease that is over or lost, nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from callcenter.tests.factories import make_company, make_line
from telephony.models import DialerLine, EventChannel, EventName, ProviderEvent
from telephony.providers.digitro.channel_events import PabxEvent
from telephony.providers.digitro.sse import Packet
from telephony.selectors import channel_in_use, channel_process_is_missing
from telephony.services import channels, intents, placing
from telephony.services.policy import allowance
from telephony.states import AttemptState, ChannelProblem, ChannelState, LineHold
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, in_threads, make_callcenter, make_due

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

PACKET = Packet(b"event: E\ndata: 1", name=b"E", data=b"1", id=b"9")


@pytest.fixture(autouse=True)
def _ten_seconds(settings: Settings) -> None:
    settings.DIGITRO_CHANNEL_LEASE_SECONDS = 10.0


def learning_line() -> DialerLine:
    return make_line(make_company(), channel_id=None)


def opened(line: DialerLine, number: int = 4711) -> channels.Lease:
    now = timezone.now()
    lease = channels.take(line.pk, holder="here", now=now)
    assert lease is not None
    assert channels.note_open(lease, number, now=now)
    return lease


def fresh_line(line: DialerLine) -> DialerLine:
    return DialerLine.objects.select_related("event_channel", "company").get(pk=line.pk)


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_gets_the_lease() -> None:
    line = learning_line()
    found: list[channels.Lease | None] = [None] * 8

    def take(place: int) -> None:
        found[place] = channels.take(line.pk, holder=f"process {place}", now=timezone.now())

    in_threads(8, take)
    (lease,) = [one for one in found if one is not None]
    assert EventChannel.objects.get(line=line).fence == lease.fence == 1


def test_who_lost_the_lease_writes_nothing_even_when_nobody_took_it() -> None:
    line = learning_line()
    lease = opened(line)
    later = timezone.now() + timedelta(seconds=11)
    assert not channels.renew(lease, now=later, last_heard_at=None)
    assert not channels.note_open(lease, 1, now=later)
    assert channels.store_packet(lease, line, PACKET, now=later) is None
    other = channels.take(line.pk, holder="there", now=later)
    assert other is not None
    assert other.fence == lease.fence + 1
    assert not channels.note_open(lease, 1, now=later)
    assert not channels.note_lost(lease, ChannelProblem.CUT, failures=1, retry_at=later, now=later)
    assert not channels.release(lease, now=later)
    channel = EventChannel.objects.get(line=line)
    assert (channel.holder, channel.state, channel.channel_id) == ("there", ChannelState.CONNECTING, None)
    assert not ProviderEvent.objects.exists()


def test_a_released_lease_is_free_at_once_and_a_kept_one_is_not() -> None:
    line = learning_line()
    lease = opened(line)
    assert channels.take(line.pk, holder="there", now=timezone.now()) is None
    assert channels.release(lease, now=timezone.now())
    assert channels.take(line.pk, holder="there", now=timezone.now()) is not None


def test_an_event_is_stored_with_the_place_from_which_to_go_on() -> None:
    line = learning_line()
    event = channels.store_packet(opened(line), line, PACKET, now=timezone.now())
    assert event is not None
    assert (bytes(event.raw), event.company_id, event.line_id) == (PACKET.raw, line.company_id, line.pk)
    assert channels.last_event_id(line.pk) == "9"


def test_a_line_dials_only_while_somebody_reads_its_open_channel() -> None:
    now = timezone.now()
    line = learning_line()
    assert allowance(fresh_line(line), now=now).hold == LineHold.NO_CHANNEL
    lease = opened(line)
    assert channel_in_use(fresh_line(line), now=now) == 4711
    assert allowance(fresh_line(line), now=now).hold == LineHold.NO_ATTENDANT
    # Its reader died: nobody would hear of the calls.
    assert allowance(fresh_line(line), now=now + timedelta(seconds=11)).hold == LineHold.NO_CHANNEL
    channels.note_lost(lease, ChannelProblem.CUT, failures=1, retry_at=now, now=now)
    assert allowance(fresh_line(line), now=now).hold == LineHold.NO_CHANNEL


def test_a_fixed_number_needs_no_process_and_is_never_replaced() -> None:
    line = make_line(make_company(), channel_id=3)
    opened(line)
    assert channel_in_use(fresh_line(line), now=timezone.now()) == 3
    assert not channel_process_is_missing(now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_call_whose_channel_was_opened_anew_before_it_left_goes_back_to_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url, channel_id=None)
        lease = opened(line)
        make_due(line.company)
        (attempt,) = claim(line)
        commit_intents = intents.commit_intents

        def reopened_just_before(*args: Any, **kwargs: Any) -> Any:
            assert channels.note_open(lease, 4712, now=timezone.now())
            return commit_intents(*args, **kwargs)

        monkeypatch.setattr("telephony.services.journal.commit_intents", reopened_just_before)
        placing.place_call(attempt.pk)
        monkeypatch.undo()
        assert (pabx.posts, fresh(attempt)[0].state) == ([], AttemptState.RELEASED)
        (again,) = claim(line)
        placing.place_call(again.pk)
        assert pabx.paths == ["/requests/4712/chamada-preditiva"]


@pytest.mark.django_db(transaction=True)
def test_a_call_is_not_sent_when_the_reader_went_away_after_the_claim() -> None:
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url, channel_id=None)
        lease = opened(line)
        make_due(line.company)
        (attempt,) = claim(line)
        channels.release(lease, now=timezone.now())
        placing.place_call(attempt.pk)
        assert pabx.posts == []
    after, request = fresh(attempt)
    assert (after.state, request.hold_reason, request.due_at is not None) == (AttemptState.RELEASED, "", True)
    # It is nobody's fault that a person would have to mend.
    assert fresh_line(line).suspended_reason == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_lost", "state"), [(True, AttemptState.RELEASED), (False, AttemptState.REFUSED)])
def test_a_refusal_while_the_channel_was_lost_is_not_the_requests_fault(is_lost: bool, state: AttemptState) -> None:
    with TinyPabx() as pabx:
        pabx.status_code = 400
        line = make_callcenter(base_url=pabx.url, channel_id=None)
        lease = opened(line)
        make_due(line.company)
        (attempt,) = claim(line)
        if is_lost:
            pabx.before_answer = lambda _fields: assert_lost(lease)
        placing.place_call(attempt.pk)
        assert len(pabx.posts) == 1
    after, request = fresh(attempt)
    assert (after.state, request.due_at is not None) == (state, is_lost)


def assert_lost(lease: channels.Lease) -> None:
    now = timezone.now()
    try:
        assert channels.note_lost(lease, ChannelProblem.CUT, failures=1, retry_at=now, now=now)
    finally:
        connection.close()


def test_readyz_tells_when_no_process_reads_the_channels() -> None:
    line = learning_line()
    assert "channel" in Client().get("/readyz").json()["failed"]
    lease = opened(line)
    assert "channel" not in Client().get("/readyz").json()["failed"]
    channels.release(lease, now=timezone.now())
    DialerLine.objects.filter(pk=line.pk).update(is_enabled=False)
    assert "channel" not in Client().get("/readyz").json()["failed"]


def test_names_are_counted_and_a_pabx_that_invents_them_does_not_fill_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = EventName.objects.create(name="E", detail="FAX", meaning="fax")
    monkeypatch.setattr(channels, "MOST_NAMES", EventName.objects.count() + 1)
    for name, detail in (("E", "FAX"), ("E", "HUMANO"), ("F", "")):
        channels.count_name(PabxEvent(name, detail=detail), now=timezone.now())
    known.refresh_from_db()
    assert known.seen == 1
    assert EventName.objects.get(name="E", detail="HUMANO").meaning == "unknown"
    assert not EventName.objects.filter(name="F").exists()
