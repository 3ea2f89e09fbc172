"""Messages for later: sent at their minute, exactly once, whoever is killed or runs beside."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from callcenter.lib.errors import Conflict
from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, HelpdeskSettings, Message, Occurrence, ScheduledMessage
from helpdesk.services import booking, closing, scheduled, writing
from helpdesk.services.scheduled import send_due_messages
from helpdesk.states import ClosedWith, OccurrenceCategory, OccurrenceStatus, S, ScheduledState
from helpdesk.tests.factories import make_attendant, make_settings
from helpdesk.tests.scenes import asked, reread
from telephony.tests.scenes import in_threads

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 14, 0, 20, tzinfo=UTC)
DUE = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)


def booked(company: Company | None = None, *, text: str = "Como combinado", due_at: datetime = DUE) -> ScheduledMessage:
    """A message for later in a new conversation that waits in the queue."""
    company = company or make_company()
    atendimento = asked(company, now=NOW)
    return booking.schedule_message(
        atendimento.pk, make_attendant(company), scope=None, text=text, due_at=due_at, now=NOW
    )


def sent_texts() -> list[str]:
    return list(Message.objects.filter(is_inbound=False).order_by("number").values_list("text", flat=True))


def test_it_leaves_at_its_minute_in_the_name_of_its_author() -> None:
    message = booked(due_at=DUE + timedelta(seconds=42))
    assert send_due_messages(now=DUE - timedelta(seconds=1))[0] == 0
    assert send_due_messages(now=DUE)[0] == 1
    assert send_due_messages(now=DUE + timedelta(minutes=1))[0] == 0
    message.refresh_from_db()
    assert (message.state, message.settled_at) == (ScheduledState.SENT, DUE)
    assert message.message is not None
    assert (message.message.text, message.message.attendant) == ("Como combinado", message.attendant)
    atendimento = reread(message.atendimento)
    assert (atendimento.state, atendimento.attendant, atendimento.is_waiting) == (
        S.IN_SERVICE,
        message.attendant,
        False,
    )
    (entry,) = Occurrence.objects.filter(category=OccurrenceCategory.SCHEDULED)
    assert entry.status == OccurrenceStatus.DONE


def test_one_that_is_late_is_sent_late_and_the_earliest_first() -> None:
    company = make_company()
    booked(company, text="segunda", due_at=DUE + timedelta(minutes=1))
    booked(company, text="primeira")
    assert send_due_messages(now=DUE + timedelta(days=2))[0] == 2
    assert sent_texts() == ["primeira", "segunda"]


def test_what_was_closed_or_deleted_before_is_cancelled() -> None:
    closed, deleted = booked(), booked()
    closing.close(closed.atendimento_id, scope=None, now=NOW, with_=ClosedWith.PERSON)
    Atendimento.objects.filter(pk=deleted.atendimento_id).update(deleted_at=NOW)
    assert send_due_messages(now=DUE)[0] == 0
    assert sent_texts() == []
    for message, reason in ((closed, "closed"), (deleted, "deleted")):
        message.refresh_from_db()
        assert (message.state, message.reason) == (ScheduledState.CANCELLED, reason)


def test_a_company_may_want_it_in_a_new_conversation() -> None:
    message = booked()
    make_settings(message.atendimento.company, scheduled_when_closed=HelpdeskSettings.WhenClosed.REOPEN)
    closing.close(message.atendimento_id, scope=None, now=NOW, with_=ClosedWith.PERSON)
    assert send_due_messages(now=DUE)[0] == 1
    following = Atendimento.objects.get(origin=message.atendimento)
    assert (following.state, following.contact) == (S.IN_SERVICE, message.atendimento.contact)
    assert following.messages.get().text == "Como combinado"


def test_one_that_can_never_be_sent_is_set_aside_and_stops_no_other() -> None:
    refused, fine = booked(), booked(text="esta sai")
    refused.attendant.is_active = False
    refused.attendant.save(update_fields=["is_active"])
    assert send_due_messages(now=DUE)[0] == 1
    refused.refresh_from_db()
    fine.refresh_from_db()
    assert (refused.state, refused.reason, fine.state) == (ScheduledState.FAILED, "refused", ScheduledState.SENT)
    assert Occurrence.objects.filter(category=OccurrenceCategory.SCHEDULED, status=OccurrenceStatus.ERROR).count() == 1
    assert sent_texts() == ["esta sai"]


def test_a_worker_that_dies_after_writing_has_written_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """As a signal ends a worker: nothing catches it."""

    message = booked()
    write_reply = writing.write_reply

    def die(*args: object, **kwargs: object) -> None:
        write_reply(*args, **kwargs)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(scheduled, "write_reply", die)
    with pytest.raises(Killed):
        send_due_messages(now=DUE)
    message.refresh_from_db()
    assert (message.state, sent_texts()) == (ScheduledState.PENDING, [])
    monkeypatch.undo()
    assert send_due_messages(now=DUE)[0] == 1
    assert sent_texts() == ["Como combinado"]


def test_what_was_sent_can_be_neither_changed_nor_cancelled() -> None:
    message = booked()
    send_due_messages(now=DUE)
    with pytest.raises(Conflict):
        booking.change_scheduled(message, text="outra", due_at=DUE + timedelta(days=1), now=DUE)
    assert not booking.cancel_one(message, now=DUE)


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_send_each_message_once() -> None:
    company = make_company()
    for place in range(12):
        booked(company, text=f"mensagem {place}")
    start = threading.Barrier(4)
    counts: list[int] = []

    def work(_place: int) -> None:
        start.wait(10)
        counts.append(send_due_messages(now=DUE)[0])

    in_threads(4, work)
    assert sum(counts) == 12
    assert sorted(sent_texts()) == sorted(f"mensagem {place}" for place in range(12))
    assert not ScheduledMessage.objects.exclude(state=ScheduledState.SENT).exists()
