"""Who may see a private atendimento in the report, and what counts as read while messages keep coming."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from helpdesk.models import Atendimento, Message
from helpdesk.selectors import messages
from helpdesk.services import writing
from helpdesk.services.reading import mark_read
from helpdesk.tests.factories import make_attendant
from helpdesk.tests.scenes import asked, reread
from helpdesk.tests.tempbox.api import Program

pytestmark = pytest.mark.django_db


@pytest.mark.conforms("TB-read")
def test_what_comes_while_the_thread_is_read_is_shown_or_stays_unread(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    atendimento = asked(program.company)
    thread = messages.thread

    def write() -> None:
        writing.receive_message_in(atendimento.pk, scope=None, text="Mais uma", now=timezone.now())

    def listed(*args: Any, **kwargs: Any) -> Any:
        rows = list(thread(*args, **kwargs))
        write()
        return rows

    def marked(*args: Any, **kwargs: Any) -> int:
        write()
        return mark_read(*args, **kwargs)

    # By name, which loads the methods before anything is put in place of what they import.
    monkeypatch.setattr("helpdesk.tempbox.methods.messages.mark_read", marked)
    monkeypatch.setattr(messages, "thread", listed)
    assert len(program.call("ListarMensagensAtendimento", {"Atendimento": str(atendimento.pk)})) == 2
    assert reread(atendimento).unread == 1


@pytest.mark.conforms("TB-relatorio")
@pytest.mark.parametrize(
    ("granted", "sees"),
    [
        ("ana@example.com", False),
        ("na@example.com.br", False),
        ("na@example-com", False),
        ("rui@example.com, NA@example.com", True),
        ("na@example.com;rui@example.com", True),
        ("HASH", True),
    ],
)
def test_a_private_one_is_seen_by_whom_a_whole_entry_names(program: Program, granted: str, sees: bool) -> None:
    viewer, atendimento = make_attendant(program.company, email="na@example.com"), asked(program.company)
    names = granted.replace("HASH", str(viewer.hash).upper())
    Atendimento.objects.filter(pk=atendimento.pk).update(is_private=True, access_granted=names)
    rows = program.call("ListarRelatorioPrincipal", {"Usuario": str(viewer.pk)})
    assert bool(rows) is sees


@pytest.mark.conforms("TB-mensagens-em-aberto")
def test_no_message_is_left_out_however_many_are_open(program: Program, settings: Any) -> None:
    for _ in range(3):
        asked(program.company)
    settings.TEMPBOX_ROWS_CEILING = 2
    assert len(program.call("ListarMensagensEmAberto")) == 3


@pytest.mark.conforms("TB-window")
def test_a_reader_skips_no_message_that_comes_while_the_list_is_made(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = asked(program.company)
    (nobodys,) = program.call("Salvar", {"Titulo": "Sem solicitante"})
    in_window = messages._in_window
    keys = iter([None, (mine.pk, uuid.UUID(nobodys["Hash"]))])

    def interrupted(*args: Any) -> Any:
        # Before the second of the two queries.
        for key in next(keys, None) or ():
            writing.receive_message_in(key, scope=None, text="Ainda", now=timezone.now())
        return in_window(*args)

    monkeypatch.setattr(messages, "_in_window", interrupted)
    read = [row["Autonumeracao"] for row in program.call("ListarMensagensEmAberto")]
    read += [row["Autonumeracao"] for row in program.call("ListarMensagensEmAberto", {"Inicio": read[-1] + 1})]
    assert read == list(Message.objects.order_by("number").values_list("number", flat=True))
