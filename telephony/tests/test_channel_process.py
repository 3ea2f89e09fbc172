"""The process that reads the event channels, against the simulated PABX: it learns, survives, dials nothing blind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from callcenter.tests.programs import poll
from telephony.models import CallAttempt, DialerLine, EventName, ProviderEvent
from telephony.services import channel_reading, placing
from telephony.states import AttemptState, ChannelProblem, Meaning
from telephony.tests.channels import EVENTS_PATH, Pabx, Reading, channel_of, until, until_open
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due, standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running_pabx() -> Iterator[Pabx]:
    pabx = Pabx()
    yield pabx
    pabx.stop()


@pytest.fixture
def pabx(running_pabx: Pabx, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Pabx:
    running_pabx.reset()
    settings.DIGITRO_EVENTS_PATH = EVENTS_PATH
    settings.DIGITRO_READ_TIMEOUT_SECONDS = 2.0
    settings.DIGITRO_CHANNEL_SILENCE_SECONDS = 0.8
    settings.DIGITRO_CHANNEL_LEASE_SECONDS = 5.0
    monkeypatch.setattr(channel_reading, "FIRST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(channel_reading, "STANDBY_SECONDS", 0.1)
    return running_pabx


def make_listening_line(pabx: Pabx, **fields: Any) -> DialerLine:
    return make_callcenter(base_url=pabx.url, channel_id=None, **fields)


def call(line: DialerLine, ending: str) -> CallAttempt:
    """An attempt that was dialed to a number with these last digits."""
    make_due(line.company, phone=f"(48) 3281-70{ending}")
    (attempt,) = claim(line)
    placing.place_call(attempt.pk)
    return attempt


def until_state(attempt: CallAttempt, state: AttemptState) -> None:
    assert poll(lambda: CallAttempt.objects.get(pk=attempt.pk).state == state), fresh(attempt)[0].state


def test_a_line_learns_its_channel_dials_by_it_and_hears_the_calls_end(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    assert claim(line) == []
    with Reading() as reading:
        channel = until_open(line)
        assert channel.holder == reading.process.holder
        attempt = call(line, "01")
        until_state(attempt, AttemptState.ENDED)
        (dialed,) = pabx.dialed()
        assert dialed["channel"] == channel.channel_id != 1
        assert fresh(attempt)[0].outcome == "answered"
    # Given back when it ended: nothing is dialed without somebody who listens.
    assert (channel_of(line).lease_until, channel_of(line).channel_id) == (None, None)
    make_due(line.company)
    assert claim(line) == []


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        ("20", "answered"),
        ("21", "answered"),
        ("22", "answered"),
        ("24", "answered"),
        ("02", "busy"),
        ("04", "machine"),
    ],
)
def test_doubled_early_reversed_and_broken_events_end_like_the_orderly_ones(
    pabx: Pabx, ending: str, outcome: str
) -> None:
    line = make_listening_line(pabx)
    with Reading():
        until_open(line)
        attempt = call(line, ending)
        until_state(attempt, AttemptState.ENDED)
    assert (standing(attempt)["outcome"], standing(attempt)["conflict"]) == (outcome, False)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("cut", ChannelProblem.CUT),
        ("reset", ChannelProblem.CUT),
        ("close", ChannelProblem.CLOSED),
        ("silence", ChannelProblem.SILENT),
        ("half_open", ChannelProblem.SILENT),
    ],
)
def test_a_lost_channel_is_opened_anew_with_another_number(pabx: Pabx, fault: str, problem: ChannelProblem) -> None:
    line = make_listening_line(pabx)
    with Reading():
        first = until_open(line)
        pabx.fault(fault)
        again = until_open(line, other_than=first.channel_id)
    assert (again.problem, again.fence) == (problem, first.fence)
    if fault == "cut":
        assert ProviderEvent.objects.get(problem="cut").state == ProviderEvent.State.UNREADABLE


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("open_401", ChannelProblem.UNAUTHORIZED),
        ("open_404", ChannelProblem.REFUSED),
        ("open_503", ChannelProblem.UNAVAILABLE),
        ("open_html", ChannelProblem.MISCONFIGURED),
        ("open_hang", ChannelProblem.UNAVAILABLE),
        ("open_mute", ChannelProblem.NO_OPENING),
        ("open_numberless", ChannelProblem.BAD_OPENING),
    ],
)
def test_a_channel_that_can_not_be_opened_says_why_and_is_tried_again(
    pabx: Pabx, settings: Settings, fault: str, problem: ChannelProblem
) -> None:
    settings.DIGITRO_READ_TIMEOUT_SECONDS = 0.3
    pabx.fault(fault)
    line = make_listening_line(pabx)
    with Reading():
        waiting = until(line, lambda one: one.state == "waiting")
        assert (waiting.problem, waiting.failures) == (problem, 1)
        settings.DIGITRO_READ_TIMEOUT_SECONDS = 5.0
        until_open(line)


def test_a_second_opening_event_on_the_same_channel_changes_the_number(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading():
        first = until_open(line)
        pabx.fault("reopen")
        until_open(line, other_than=first.channel_id)
        assert pabx.channels()["counts"]["opening ok"] == 1
        until_state(call(line, "01"), AttemptState.ENDED)


def test_garbage_is_stored_as_it_came_and_the_channel_goes_on(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading():
        first = until_open(line)
        pabx.fault("garbage")
        unreadable = ProviderEvent.objects.filter(state=ProviderEvent.State.UNREADABLE)
        assert poll(lambda: unreadable.count() == 6), list(ProviderEvent.objects.values_list("state", "problem"))
        assert set(unreadable.values_list("problem", flat=True)) == {
            "not_sse", "not_text", "not_json", "no_name", "too_large",
        }  # fmt: skip
        assert max(len(bytes(event.raw)) for event in unreadable) <= 65_537
        until_state(call(line, "01"), AttemptState.ENDED)
        assert channel_of(line).channel_id == first.channel_id


def test_a_name_that_nobody_knows_is_stored_and_counted_until_somebody_says_what_it_means(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading():
        until_open(line)
        for seen in (1, 2):
            pabx.fault("unknown")
            assert poll(lambda: EventName.objects.filter(name="EVENTO_QUE_NINGUEM_CONHECE", seen=seen).exists())  # noqa: B023
    name = EventName.objects.get(name="EVENTO_QUE_NINGUEM_CONHECE")
    assert (name.meaning, name.detail) == (Meaning.UNKNOWN, "")
    assert ProviderEvent.objects.filter(word=name.name, state=ProviderEvent.State.UNMATCHED).count() == 2
    opening = EventName.objects.get(name="EVENTO_DE_ABERTURA_DE_CANAL")
    assert opening.seen == 1


def test_what_the_pabx_told_while_nobody_listened_is_asked_for_afterwards(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading():
        until_open(line)
        attempt = call(line, "03")
        until_state(attempt, AttemptState.ENDED)
        assert channel_of(line).last_event_id.isdigit()
        make_due(line.company, phone="(48) 3281-7002")
        (unheard,) = claim(line)
        pabx.fault("silence")
        poll(lambda: any(one["mute"] for one in pabx.channels()["open"]), seconds=5)
        placing.place_call(unheard.pk)
        until_state(unheard, AttemptState.ENDED)
        assert fresh(unheard)[0].outcome == "busy"


def test_lines_are_picked_up_changed_and_let_go_while_it_runs(pabx: Pabx) -> None:
    first = make_listening_line(pabx)
    with Reading():
        opened = until_open(first)
        second = make_listening_line(pabx, secret="another-secret-of-a-path")
        until_open(second)
        DialerLine.objects.filter(pk=second.pk).update(is_enabled=False)
        until(second, lambda one: one.lease_until is None)
        line = DialerLine.objects.get(pk=first.pk)
        line.api_key = "wrong"
        line.save(update_fields=["api_key"])
        until(first, lambda one: one.problem == ChannelProblem.UNAUTHORIZED)
        line.api_key = "sim-api-key"
        line.save(update_fields=["api_key"])
        until_open(first, other_than=opened.channel_id)
        # A fixed number: somebody else keeps the channel.
        DialerLine.objects.filter(pk=first.pk).update(channel_id=1)
        until(first, lambda one: one.lease_until is None)
        assert poll(lambda: pabx.channels()["open"] == [])


def test_a_line_that_is_switched_off_hears_of_its_calls_to_their_end(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading():
        until_open(line)
        attempt = call(line, "23")
        DialerLine.objects.filter(pk=line.pk).update(is_enabled=False)
        # One that comes later is picked up a round later: by then the one that is off was not let go.
        until_open(make_listening_line(pabx, secret="another-secret-of-a-path"))
        assert channel_of(line).is_open(timezone.now())
        CallAttempt.objects.filter(pk=attempt.pk).update(state=AttemptState.ENDED, ended_at=timezone.now())
        until(line, lambda one: one.lease_until is None)


def test_without_a_path_or_with_unreadable_credentials_the_line_says_so(pabx: Pabx, settings: Settings) -> None:
    settings.DIGITRO_EVENTS_PATH = ""
    pathless = make_listening_line(pabx)
    locked = make_listening_line(pabx, secret="another-secret-of-a-path")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE telephony_dialerline SET api_key = 'broken' WHERE id = %s", [locked.pk])
    with Reading():
        until(pathless, lambda one: one.problem == ChannelProblem.NO_PATH)
        settings.DIGITRO_EVENTS_PATH = EVENTS_PATH
        until_open(pathless)
        until(locked, lambda one: one.problem == ChannelProblem.SECRET_UNREADABLE)


def test_of_two_processes_one_reads_and_the_other_takes_over_when_it_goes(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading() as second_to_go, Reading() as first_to_go:
        opened = until_open(line)
        holders = {first_to_go.process.holder, second_to_go.process.holder}
        assert len(pabx.channels()["open"]) == 1
        if opened.holder == second_to_go.process.holder:
            second_to_go.process.stop()
            left = first_to_go
        else:
            first_to_go.process.stop()
            left = second_to_go
        again = until_open(line, other_than=opened.channel_id)
        assert again.holder == left.process.holder
        assert {again.holder, opened.holder} == holders
        assert again.fence == opened.fence + 1


def test_no_thread_is_left_behind(pabx: Pabx) -> None:
    line = make_listening_line(pabx)
    with Reading():
        until_open(line)
    assert not [thread.name for thread in threading.enumerate() if thread.name == f"channel-{line.pk}"]
