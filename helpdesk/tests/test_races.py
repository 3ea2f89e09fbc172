"""Several at once, on real connections: one wins, numbers have neither gap nor double, no reader skips a message."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from callcenter.lib.database import for_update, is_postgresql
from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, Contact, Message
from helpdesk.services import closing, taking, writing
from helpdesk.services.contacts import contact_at
from helpdesk.services.rows import locked_with_contact
from helpdesk.states import Platform
from helpdesk.tests.factories import make_attendant, make_channel, make_contact
from helpdesk.tests.scenes import asked
from helpdesk.tests.tempbox.api import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What the acts give, each in a thread with a connection of its own, started together."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_six_who_take_one_has_it_and_all_know() -> None:
    company = make_company()
    people = [make_attendant(company) for _ in range(6)]
    atendimento = asked(company)

    def taker(person: Any) -> Callable[[], Any]:
        return lambda: taking.take(atendimento.pk, person, scope=None, now=timezone.now())

    done = at_once([taker(person) for person in people])
    assert [each.has_changed for each in done].count(True) == 1
    assert {each.atendimento.attendant_id for each in done} == {Atendimento.objects.get().attendant_id}


def test_two_first_messages_of_one_contact_open_one() -> None:
    company = make_company()
    contact, channel = make_contact(company), make_channel(company)

    def write() -> Any:
        return writing.receive_message(contact, channel, text="Olá", now=timezone.now())

    at_once([write] * 4)
    assert Atendimento.objects.get().unread == 4
    contact.refresh_from_db()
    assert contact.atendimento_count == 1


def test_an_unknown_address_makes_one_contact() -> None:
    company = make_company()

    def meet() -> Any:
        return contact_at(
            company.pk, platform=Platform.WHATSAPP, address="11 98765-4321", now=timezone.now()
        ).contact_id

    assert len(set(at_once([meet] * 4))) == 1


def test_protocols_have_neither_gaps_nor_doubles_and_no_reader_skips_a_message() -> None:
    companies = [make_company(), make_company()]
    channels = [make_channel(company) for company in companies]
    contacts = [[make_contact(company) for _ in range(6)] for company in companies]
    seen: list[int] = []
    is_over = threading.Event()

    def writer(at: int, half: int) -> Callable[[], None]:
        def write() -> None:
            for contact in contacts[at][half::2]:
                for _ in range(3):
                    writing.receive_message(contact, channels[at], text="Olá", now=timezone.now())

        return write

    def read() -> None:
        while True:
            was_over = is_over.is_set()
            last = seen[-1] if seen else 0
            seen.extend(Message.objects.filter(number__gt=last).order_by("number").values_list("number", flat=True))
            if was_over:
                return

    def poll() -> None:
        try:
            read()
        finally:
            connection.close()

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        at_once([writer(at, half) for at in (0, 1) for half in (0, 1)])
    finally:
        is_over.set()
        poller.join(timeout=60)
    assert seen == sorted(Message.objects.values_list("number", flat=True))
    assert len(seen) == 36
    for company in companies:
        protocols = Atendimento.objects.filter(company=company).values_list("company_number", flat=True)
        assert sorted(protocols) == [1, 2, 3, 4, 5, 6]
    assert sorted(Atendimento.objects.values_list("number", flat=True)) == list(range(1, 13))


def reopen(atendimento: Atendimento) -> None:
    with transaction.atomic():
        closing.reopen(locked_with_contact(atendimento.pk, scope=None), now=timezone.now(), is_started=False)


def give(atendimento: Atendimento) -> None:
    to = make_contact(atendimento.company, "Outra")
    program = Program(atendimento.company)
    program.call("Salvar", {"Hash": str(atendimento.hash), "ReferenteSolicitante": str(to.pk)})


def write_after_the_end(atendimento: Atendimento) -> None:
    writing.receive_message_in(atendimento.pk, scope=None, text="Ainda?", now=timezone.now())


@pytest.mark.parametrize(
    ("act", "is_closed"),
    [
        (lambda one: closing.delete(one.pk, scope=None, now=timezone.now()), False),
        (give, False),
        (reopen, True),
        (write_after_the_end, True),
    ],
    ids=["delete", "give", "reopen", "write_after_the_end"],
)
def test_who_waits_for_the_contact_holds_no_conversation(act: Callable[[Atendimento], Any], is_closed: bool) -> None:
    """A message that comes in holds the contact and wants the conversation: the other way round both would wait."""
    if not is_postgresql():
        pytest.skip("SQLite has one writer at a time.")
    atendimento = asked(make_company())
    assert atendimento.contact is not None
    contact_id = atendimento.contact.pk
    if is_closed:
        closing.close(atendimento.pk, scope=None, now=timezone.now())

    def run() -> None:
        try:
            act(atendimento)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            for_update(Contact.objects.filter(pk=contact_id)).get()
            waiting = pool.submit(run)
            wait_until_somebody_waits_for_a_lock()
            # Refused at once if it were held.
            assert Atendimento.objects.select_for_update(nowait=True, of=("self",)).get(pk=atendimento.pk)
        waiting.result(timeout=30)


def wait_until_somebody_waits_for_a_lock() -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited for a lock")
