"""Two channel processes under SIGSTOP, SIGKILL and SIGTERM: one reads at a time, and who wakes up late is refused."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from callcenter.tests.environment import ROOT, program_environment
from callcenter.tests.programs import Program, poll
from telephony.models import CallAttempt, ProviderEvent
from telephony.services import placing
from telephony.states import AttemptState
from telephony.tests.channels import EVENTS_PATH, Pabx, channel_of, until, until_open
from telephony.tests.scenes import claim, make_callcenter, make_due

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telephony.models import DialerLine

LEASE_SECONDS = 3


@pytest.fixture
def pabx() -> Iterator[Pabx]:
    pabx = Pabx()
    yield pabx
    pabx.stop()


def reader(folder: Path, name: str) -> Program:
    environment = program_environment(
        DIGITRO_EVENTS_PATH=EVENTS_PATH, DIGITRO_CHANNEL_LEASE_SECONDS=str(LEASE_SECONDS), LOG_LEVEL="INFO"
    )
    words = [sys.executable, "manage.py", "digitro_channel"]
    return Program(words, cwd=ROOT, env=environment, log=folder / name)


def call_to_the_end(line: DialerLine) -> None:
    make_due(line.company, phone="(48) 3281-7001")
    (attempt,) = claim(line)
    placing.place_call(attempt.pk)
    ended = CallAttempt.objects.filter(pk=attempt.pk, state=AttemptState.ENDED, outcome="answered")
    assert poll(ended.exists)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_stopped_a_killed_and_an_ended_reader_hand_over_and_none_acts_twice(pabx: Pabx, tmp_path: Path) -> None:
    line = make_callcenter(base_url=pabx.url, channel_id=None)
    with reader(tmp_path, "first") as first:
        opened = until_open(line)
        with reader(tmp_path, "second") as second:
            call_to_the_end(line)
            first.process.send_signal(signal.SIGSTOP)
            taken = until_open(line, other_than=opened.channel_id)
            assert (taken.fence, taken.holder != opened.holder) == (opened.fence + 1, True)
            # Both connections stand; what the sleeper's brings now waits in its socket until it wakes.
            assert len(pabx.channels()["open"]) == 2
            pabx.fault("unknown")
            told = ProviderEvent.objects.filter(word="EVENTO_QUE_NINGUEM_CONHECE")
            assert poll(told.exists)
            first.process.send_signal(signal.SIGCONT)
            assert poll(lambda: "lease" in first.output or "standing by" in first.output), first.output
            call_to_the_end(line)
            assert told.count() == 1
            assert channel_of(line).fence == taken.fence
            assert poll(lambda: len(pabx.channels()["open"]) == 1)

            killed_at = time.monotonic()
            second.stop(signal.SIGKILL)
            again = until(line, lambda one: one.fence == taken.fence + 1 and one.is_open(timezone.now()))
            assert again.holder == opened.holder
            assert time.monotonic() - killed_at > 0.5
        call_to_the_end(line)
        assert first.stop(signal.SIGTERM) == 0
    assert (channel_of(line).lease_until, channel_of(line).channel_id) == (None, None)
    assert "Traceback" not in first.output
