"""Each list asks the database a fixed number of times, whatever its size."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.models import Tag
from helpdesk.services import taking, writing
from helpdesk.tests.factories import make_attendant, make_canned, make_channel, make_contact, make_team
from helpdesk.tests.scenes import asked
from helpdesk.tests.tempbox.api import Program

pytestmark = pytest.mark.django_db

# Method -> queries, the one for the token included.
PINNED = {
    "ListarEmAberto": 4,
    "ListarMeusAtendimentos": 4,
    "ListarRecentes": 3,
    "ListarRelatorioPrincipal": 4,
    "ListarUltimasMensagens": 4,
    "ListarMensagensEmAberto": 6,
    "ListarMensagensAtendimentoChat": 4,
    "ListarMensagensPadrao": 3,
    "ListarHashesOutrosAtendentesEquipesAtendente": 3,
    "ListarHashesOutrosHumanosEquipesAtendente": 3,
    "ObterNovasMensagensChatSiteSse": 3,
    "ObterDashboard": 7,
    "Acompanhar": 3,
    "Listar": 3,
    "Consultar": 4,
}


@pytest.fixture
def full(program: Program) -> dict[str, Any]:
    """The parameters for a company with three of everything; `grow` makes nine more."""
    company = program.company
    ana = make_attendant(company)
    contact = make_contact(company)
    make_team(company, ana)
    first = asked(company, contact=contact)

    def grow(count: int) -> None:
        tag = Tag.objects.create(company=company, title=f"Marcador {Tag.objects.count()}")
        for _ in range(count):
            atendimento = asked(company)
            taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
            writing.write_reply(atendimento.pk, ana, scope=None, text="Pois não", now=timezone.now())
            writing.receive_message_in(first.pk, scope=None, text="E então?", now=timezone.now())
            atendimento.tags.add(tag)
            asked(company, contact=contact, channel=make_channel(company))
            make_canned(company)
            make_team(company, ana, make_attendant(company))

    grow(3)
    program.call("ObterDashboard")
    values = {"Contato": str(contact.pk), "Atendimento": str(first.pk), "Atendente": str(ana.pk), "Hash": str(first.pk)}
    return {"values": values, "grow": grow}


@pytest.mark.conforms("TB-queries")
@pytest.mark.parametrize("name", PINNED)
def test_a_list_costs_the_same_number_of_queries_at_any_size(program: Program, full: dict[str, Any], name: str) -> None:
    counts, sizes = [], []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as asked_for:
            sizes.append(len(program.call(name, full["values"]) or []))
        counts.append(len(asked_for))
        full["grow"](5)
    assert counts == [PINNED[name]] * 2
    assert sizes[0] < sizes[1] or name in {"ObterDashboard", "Consultar", "ListarRecentes"}
