"""The dashboard and the occurrence log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from helpdesk.selectors.codes import Kind
from helpdesk.selectors.dashboard import dashboard, last_occurrences
from helpdesk.tempbox import display
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    from helpdesk.models import Occurrence
    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Row

_FOLLOWED: Final = 100


@method(
    "ObterDashboard",
    takes="Empresa varchar",
    gives="Propriedade string, Valor string",
)
def show_dashboard(call: Call) -> list[Row]:
    """Always the same names in the same order."""
    now = dashboard(call.company.id, now=call.now, zone=call.zone)
    numbers = {
        "TotalAtendimentos": str(now.total),
        "EmAberto": str(now.open),
        "NaFila": str(now.queued),
        "EmAtendimento": str(now.in_service),
        "EmEspera": str(now.waiting),
        "AbertosHoje": str(now.opened_today),
        "ConcluidosHoje": str(now.closed_today),
        "MensagensHoje": str(now.messages_today),
        "AtendentesOnline": str(now.online),
        "TempoMedioEspera": display.length(now.waited),
        "TempoMedioAtendimento": display.length(now.served),
    }
    return [call.method.present({"Propriedade": name, "Valor": value}, call.zone) for name, value in numbers.items()]


@method(
    "Acompanhar",
    gives="Alteracao datetime, AlteracaoNome datetime, Autonumeracao int, Cadastro datetime, CadastroNome datetime,"
    " Categoria int, CategoriaTitulo string, CodigoStatus int, Empresa uniqueidentifier, EmpresaTitulo string,"
    " LogOcorrencia uniqueidentifier, MensagemLog string, Nome string, Referente uniqueidentifier,"
    " Sequencial int, Tabela string",
)
def follow(call: Call) -> list[Row]:
    """The newest occurrences of the token's companies."""
    return [_occurrence(row, call) for row in last_occurrences(call.caller.scope, limit=_FOLLOWED)]


def _occurrence(row: Occurrence, call: Call) -> Row:
    company = call.caller.by_id[row.company_id]
    values = {
        "Alteracao": row.updated_at,
        "AlteracaoNome": row.updated_at,
        "Autonumeracao": row.pk,
        "Cadastro": row.created_at,
        "CadastroNome": row.created_at,
        "Categoria": call.codes.out(Kind.OCCURRENCE_CATEGORY, row.category),
        "CategoriaTitulo": call.codes.title(Kind.OCCURRENCE_CATEGORY, row.category),
        "CodigoStatus": call.codes.out(Kind.OCCURRENCE_STATUS, row.status),
        "Empresa": company.uid,
        "EmpresaTitulo": company.title,
        "LogOcorrencia": row.uid,
        "MensagemLog": row.message,
        "Nome": row.target_title,
        "Referente": row.target_id,
        "Sequencial": row.sequence,
        "Tabela": row.table,
    }
    return call.method.present(values, ZoneInfo(company.time_zone))
