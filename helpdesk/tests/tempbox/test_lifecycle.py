"""IniciarAtendimento, PegarAtendimento, EncaminharAtendimento, EncerrarAtendimento."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from helpdesk.models import Occurrence
from helpdesk.services import closing, taking
from helpdesk.states import OccurrenceCategory, S
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_ia, make_team
from helpdesk.tests.scenes import asked, reread
from helpdesk.tests.tempbox.api import Program

pytestmark = pytest.mark.django_db

WITH_ATTENDANT = ("IniciarAtendimento", "PegarAtendimento", "EncaminharAtendimento")


def both(attendant: Any, atendimento: Any) -> dict[str, str]:
    """The parameters that name these two, the one by id and the other by hash."""
    return {"Atendente": str(attendant.pk), "Atendimento": str(atendimento.hash)}


@pytest.mark.conforms("TB-iniciar")
def test_starting_gives_the_atendimento_as_it_is_now(program: Program) -> None:
    ana, atendimento = make_attendant(program.company), asked(program.company)
    (row,) = program.call("IniciarAtendimento", both(ana, atendimento))
    assert (row["Atendente"], row["ReferenteResponsavel"], row["Iniciado"]) == (str(ana.pk), str(ana.pk), True)
    assert (row["Atendimento"], row["Hash"]) == (str(atendimento.pk), str(atendimento.hash))
    started_at = reread(atendimento).started_at
    (again,) = program.call("IniciarAtendimento", both(ana, atendimento))
    assert again == row
    assert reread(atendimento).started_at == started_at
    assert Occurrence.objects.filter(category=OccurrenceCategory.STARTED).count() == 1


@pytest.mark.conforms("TB-iniciar", "TB-pegar")
@pytest.mark.parametrize("method", ["IniciarAtendimento", "PegarAtendimento"])
def test_whoever_comes_second_sees_the_real_holder(program: Program, method: str) -> None:
    ana, rui, atendimento = make_attendant(program.company), make_attendant(program.company), asked(program.company)
    program.call(method, both(ana, atendimento))
    (row,) = program.call(method, both(rui, atendimento))
    assert row["Atendente"] == str(ana.pk)
    assert reread(atendimento).attendant == ana


@pytest.mark.conforms("TB-pegar")
def test_taking_does_not_start_and_stops_the_bot(program: Program) -> None:
    ana = make_attendant(program.company)
    atendimento = asked(program.company, channel=make_channel(program.company, automation=make_bot(program.company)))
    (row,) = program.call("PegarAtendimento", both(ana, atendimento))
    assert (row["Iniciado"], row["Concluido"], row["Atendente"]) == (False, False, str(ana.pk))
    stored = reread(atendimento)
    assert (stored.state, stored.needs_human, stored.started_at) == (S.ASSIGNED, True, None)


@pytest.mark.conforms("TB-pegar")
def test_taking_a_closed_one_changes_nothing_and_says_so(program: Program) -> None:
    atendimento = asked(program.company)
    closing.close(atendimento.pk, scope=None, now=timezone.now())
    (row,) = program.call("PegarAtendimento", both(make_attendant(program.company), atendimento))
    assert (row["Concluido"], row["Atendente"]) == (True, None)


@pytest.mark.conforms("TB-encaminhar")
def test_forwarding_resets_the_start_and_gives_the_title(program: Program) -> None:
    ana, rui, atendimento = make_attendant(program.company), make_attendant(program.company), asked(program.company)
    taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
    (row,) = program.call("EncaminharAtendimento", both(rui, atendimento))
    assert (row["Atendente"], row["Iniciado"], row["Titulo"]) == (str(rui.pk), False, atendimento.title)
    assert reread(atendimento).started_at is not None
    (again,) = program.call("EncaminharAtendimento", both(rui, atendimento))
    assert again == row
    assert Occurrence.objects.filter(category=OccurrenceCategory.FORWARDED).count() == 1


@pytest.mark.conforms("TB-encaminhar")
def test_forwarding_to_a_team_or_an_automation(program: Program) -> None:
    team, ia, atendimento = make_team(program.company), make_ia(program.company), asked(program.company)
    (row,) = program.call("EncaminharAtendimento", both(team, atendimento))
    assert (row["Atendente"], row["ReferenteResponsavel"]) == (None, str(team.pk))
    (row,) = program.call("EncaminharAtendimento", both(ia, atendimento))
    assert row["Atendente"] == str(ia.pk)
    assert (reread(atendimento).state, reread(atendimento).needs_human) == (S.AUTOMATIC, False)


@pytest.mark.conforms("TB-encerrar")
def test_closing_is_null_and_may_be_repeated(program: Program) -> None:
    atendimento = asked(program.company)
    program.call("EncerrarAtendimento", {"Atendimento": str(atendimento.pk)})
    first = reread(atendimento)
    program.call("EncerrarAtendimento", {"Atendimento": str(atendimento.pk)})
    assert (first.state, first.started_at, first.is_waiting) == (S.CLOSED, None, False)
    assert reread(atendimento).closed_at == first.closed_at


@pytest.mark.conforms("TB-iniciar", "TB-encaminhar", "TB-refusals")
@pytest.mark.parametrize("method", ["IniciarAtendimento", "EncaminharAtendimento"])
def test_a_closed_one_is_neither_started_nor_forwarded(program: Program, method: str) -> None:
    atendimento = asked(program.company)
    closing.close(atendimento.pk, scope=None, now=timezone.now())
    assert program.refused(method, both(make_attendant(program.company), atendimento))


@pytest.mark.conforms("TB-iniciar", "TB-pegar", "TB-refusals")
@pytest.mark.parametrize("method", ["IniciarAtendimento", "PegarAtendimento"])
def test_no_bot_and_nobody_inactive_starts_or_takes(program: Program, method: str) -> None:
    atendimento = asked(program.company)
    for attendant in (make_bot(program.company), make_attendant(program.company, is_active=False)):
        assert program.refused(method, both(attendant, atendimento))
    assert reread(atendimento).state == S.QUEUED


@pytest.mark.conforms("TB-refusals")
@pytest.mark.parametrize("method", WITH_ATTENDANT)
@pytest.mark.parametrize("missing", ["Atendente", "Atendimento"])
def test_both_are_required(program: Program, method: str, missing: str) -> None:
    values: dict[str, Any] = both(make_attendant(program.company), asked(program.company))
    for nothing in (None, "", "   "):
        assert missing in program.refused(method, {**values, missing: nothing})
    assert program.refused(method, {**values, missing: "00000000-0000-0000-0000-000000000000"})
    assert program.refused(method, {**values, missing: ["x"]})


@pytest.mark.conforms("TB-iniciar")
def test_starting_leaves_another_person_responsible(program: Program) -> None:
    ana, chief, atendimento = make_attendant(program.company), make_attendant(program.company), asked(program.company)
    program.call("Salvar", {"Hash": str(atendimento.hash), "ReferenteResponsavel": str(chief.pk)})
    (row,) = program.call("IniciarAtendimento", both(ana, atendimento))
    assert (row["Atendente"], row["ReferenteResponsavel"]) == (str(ana.pk), str(chief.pk))
