"""The bells: each rings for its job, over all companies, and finds its work in the tables."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from callcenter.celery import app
from callcenter.tests.factories import make_company
from helpdesk import tasks
from helpdesk.models import Contact, Occurrence, ScheduledMessage
from helpdesk.services import booking, writing
from helpdesk.states import OccurrenceCategory, OccurrenceStatus, S, ScheduledState
from helpdesk.tests.factories import (
    make_attendant,
    make_bot,
    make_canned,
    make_channel,
    make_contact,
    make_flow,
    make_settings,
)
from helpdesk.tests.scenes import asked, reread

pytestmark = pytest.mark.django_db


def test_every_job_has_its_bell() -> None:
    app.loader.import_default_modules()
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert rung <= set(app.tasks)
    ours = {name for name in app.tasks if name.startswith("helpdesk.tasks.")}
    assert ours <= rung


def test_the_bells_do_the_work_of_all_companies() -> None:
    now = timezone.now()
    company, other = make_company(), make_company()
    make_settings(company, waiting_minutes=1, waiting_message=make_canned(company))
    person = make_attendant(company)
    waiting = asked(company, "meu nome é Ana", contact=make_contact(company, name=""), now=now - timedelta(hours=1))
    booking.schedule_message(waiting.pk, person, scope=None, text="Oi", due_at=now, now=now)
    bots = asked(other, channel=make_channel(other, automation=make_bot(other, make_flow(other, "Olá!"))), now=now)
    tasks.tend_waiting()
    tasks.collect_contact_details()
    tasks.assign_waiting()
    tasks.answer_automatically()
    waiting = reread(waiting)
    assert (waiting.state, waiting.auto_replied_at is not None) == (S.ASSIGNED, True)
    assert Contact.objects.get(atendimentos=waiting).name == "Ana"
    assert bots.messages.filter(is_inbound=False).count() == 1
    ScheduledMessage.objects.update(due_at=now - timedelta(minutes=1))
    tasks.send_scheduled_messages()
    assert ScheduledMessage.objects.get().state == ScheduledState.SENT
    make_settings(company, inactivity_minutes=1, inactivity_reminders=0)
    writing.write_reply(waiting.pk, person, scope=None, text="Mais algo?", now=now - timedelta(hours=1))
    tasks.tend_silent()
    assert reread(waiting).state == S.CLOSED


def test_work_that_nobody_asked_for_is_asked_for() -> None:
    company = make_company()
    queued = asked(company)
    automatic = asked(company, channel=make_channel(company, automation=make_bot(company)))
    Occurrence.objects.filter(status=OccurrenceStatus.PENDING).delete()
    tasks.tend_waiting()
    tasks.tend_waiting()
    pending = Occurrence.objects.filter(status=OccurrenceStatus.PENDING)
    assert set(pending.values_list("atendimento_id", "category")) == {
        (queued.pk, OccurrenceCategory.NO_ATTENDANT),
        (automatic.pk, OccurrenceCategory.FIRST_REPLY),
    }
    assert pending.count() == 2
