"""Workers that are really killed, in the middle of their work: every message for later leaves once, none is lost."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from callcenter.tests.environment import ROOT, program_environment
from callcenter.tests.factories import make_company
from callcenter.tests.programs import Program, poll
from helpdesk.models import CompanyCounter, Message, ScheduledMessage
from helpdesk.states import ScheduledState
from helpdesk.tests.factories import make_attendant, make_channel, make_contact
from helpdesk.tests.scenes import asked

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MESSAGES: Final = 100
A_ROUND: Final = 40
DUE = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)
# It goes round and round until nothing is due, as a worker whose bell never stops.
WORKER: Final = """
import django
django.setup()
from django.utils import timezone
from helpdesk.selectors.work import due_message_ids
from helpdesk.services.scheduled import send_due_messages
while due_message_ids(now=timezone.now(), limit=1):
    send_due_messages(now=timezone.now())
"""


def test_every_message_for_later_leaves_once_although_workers_are_killed(tmp_path: Path) -> None:
    company = make_company()
    person, channel = make_attendant(company), make_channel(company)
    for place in range(MESSAGES):
        atendimento = asked(company, contact=make_contact(company), channel=channel)
        ScheduledMessage.objects.create(
            company=company, atendimento=atendimento, attendant=person, text=f"mensagem {place}", due_at=DUE
        )
    environment = program_environment(DJANGO_SETTINGS_MODULE="callcenter.settings", LOG_LEVEL="ERROR")

    def worker(name: str) -> Program:
        log = tmp_path / f"{name}.log"
        return Program([sys.executable, "-c", WORKER], cwd=ROOT, env=environment, log=log)

    kills = 0
    while (before := _sent()) < MESSAGES:
        goal = min(before + A_ROUND, MESSAGES)
        # Left by SIGKILL, both of them, wherever they are.
        with worker(f"one-{kills}"), worker(f"two-{kills}"):
            assert poll(functools.partial(_has_sent, goal), seconds=120)
        kills += 1
    assert kills >= 2
    said = Counter(Message.objects.filter(is_inbound=False).values_list("text", flat=True))
    assert said == {f"mensagem {place}": 1 for place in range(MESSAGES)}
    assert not ScheduledMessage.objects.filter(message=None).exists()
    numbers = list(Message.objects.order_by("number").values_list("number", flat=True))
    assert len(numbers) == len(set(numbers)) == 2 * MESSAGES
    assert CompanyCounter.objects.get().atendimentos == MESSAGES


def _has_sent(count: int) -> bool:
    return _sent() >= count


def _sent() -> int:
    return ScheduledMessage.objects.filter(state=ScheduledState.SENT).count()
