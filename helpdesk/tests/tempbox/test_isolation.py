"""Nobody reads or touches another company's rows, by any method or parameter."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, Contact, Message, ScheduledMessage
from helpdesk.services import taking
from helpdesk.tests.factories import make_attendant, make_bot, make_canned, make_channel, make_flow, make_team
from helpdesk.tests.scenes import asked
from helpdesk.tests.tempbox.api import Program, contract, uid_of

pytestmark = pytest.mark.django_db

LISTS = [name for name, entry in contract().items() if entry["response"] is not None and "Listar" in name]
# What has no row of one company in its answer.
NO_ROWS = ("ObterDashboard",)


class Foreign:
    """A company with one row of everything, and the parameters that name these rows."""

    def __init__(self) -> None:
        self.company = make_company()
        self.ana, self.rui = make_attendant(self.company), make_attendant(self.company)
        self.bot = make_bot(self.company, make_flow(self.company))
        make_team(self.company, self.ana, self.rui)
        make_canned(self.company)
        self.channel = make_channel(self.company, reference_code="de-fora")
        self.atendimento = asked(self.company, channel=self.channel)
        taking.take(self.atendimento.pk, self.ana, scope=None, now=timezone.now())

    def values(self, *, with_company: bool) -> dict[str, Any]:
        """Every parameter that names a row, with this company's."""
        step = self.bot.flow.first_step if self.bot.flow is not None else None
        assert step is not None
        assert self.atendimento.contact is not None
        assert self.atendimento.last_message is not None
        values = {
            "Atendimento": self.atendimento.pk, "Atendente": self.rui.pk, "Contato": self.atendimento.contact.pk,
            "AtendimentoMensagem": self.atendimento.last_message.pk, "AtendimentoFluxoMensagem": step.pk,
            "AtendenteRelacionado": self.ana.pk, "Usuario": self.ana.pk, "CodigoReferenciaCanal": "de-fora",
            "Hash": self.atendimento.hash, "HashAplicado": self.atendimento.hash, "UsuarioCriacao": self.ana.pk,
            "ReferenteResponsavel": self.ana.pk, "ReferenteSolicitante": self.atendimento.contact.pk,
        }  # fmt: skip
        given = {name: str(value) for name, value in values.items()}
        if with_company:
            given["Empresa"] = uid_of(self.company)
        return {
            **given, "Mensagem": "Invasão", "DataAgendamento": "2070-01-01T10:00:00", "Titulo": "Invasão",
            "Concluido": True, "Modo": "Alterar",
        }  # fmt: skip


def state_of_everything() -> tuple[Any, ...]:
    """What an intruder could change, as values."""
    return (
        list(Atendimento.objects.order_by("pk").values()),
        list(Message.objects.order_by("pk").values()),
        list(Contact.objects.order_by("pk").values()),
        ScheduledMessage.objects.count(),
    )


@pytest.mark.conforms("TB-isolation")
@pytest.mark.parametrize("with_company", [False, True], ids=["without Empresa", "with their Empresa"])
@pytest.mark.parametrize("name", contract())
def test_a_foreign_row_is_neither_read_nor_touched(program: Program, name: str, with_company: bool) -> None:
    foreign = Foreign()
    before = state_of_everything()
    values = foreign.values(with_company=with_company)
    response = program.post(name, values, Hash=values["Hash"] if name == "Excluir" else None)
    assert response.status_code in {200, 500}
    if response.status_code == 200 and name not in NO_ROWS:
        assert not response.json()["Data"], name
    for secret in (foreign.company.name, uid_of(foreign.company), "preciso de ajuda"):
        assert secret not in response.content.decode(), name
    assert state_of_everything() == before


@pytest.mark.conforms("TB-isolation")
@pytest.mark.parametrize("name", [*LISTS, "Acompanhar", "ObterNovasMensagensChatSiteSse"])
def test_a_list_of_ours_has_nothing_of_theirs(program: Program, name: str) -> None:
    foreign = Foreign()
    ours = asked(program.company)
    rows = program.call(name, {"Contato": str(ours.contact_id), "Atendimento": str(ours.pk), "Atendente": "x"})
    assert {row["Empresa"] for row in rows if "Empresa" in row} <= {uid_of(program.company)}
    assert str(foreign.atendimento.hash) not in str(rows)
