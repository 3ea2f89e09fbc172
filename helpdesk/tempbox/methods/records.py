"""The generic methods that read and delete: Consultar, Listar, Excluir."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.html import format_html_join

from helpdesk.models import Atendimento
from helpdesk.selectors.codes import Kind
from helpdesk.selectors.conversations import all_conversations, conversation
from helpdesk.selectors.messages import thread
from helpdesk.services.closing import delete
from helpdesk.tempbox import display
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    from helpdesk.data import CompanyRef
    from helpdesk.models import Attendant, Contact
    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Method, Row

CONSULTED = (
    "AcessoLiberado text, Alteracao datetime, Atendente uniqueidentifier, AtendenteDescricao string,"
    " Autonumeracao int, AutonumeracaoEmpresa int, Cadastro smalldatetime, Categoria int, Concluido bit,"
    " DataUltimaInteracaoAtendente datetime, DataUltimaInteracaoSolicitante datetime,"
    " DefinirObrigatoriamenteAtendenteHumano bit, Empresa uniqueidentifier, Hash uniqueidentifier, Iniciado bit,"
    " InicioAtendimento smalldatetime, Notificavel bit, ObservacoesAdicionais text, Plataforma int,"
    " PlataformaFormaContato int, Privado bit, ReferenteCanal uniqueidentifier,"
    " ReferenteCanalFormaContato uniqueidentifier, ReferenteResponsavel uniqueidentifier,"
    " ReferenteResponsavelDescricao string, ReferenteSolicitante uniqueidentifier,"
    " ReferenteSolicitanteDescricao string, SolicitanteEmEspera bit, TerminoAtendimento smalldatetime,"
    " Titulo string, UsuarioAlteracao uniqueidentifier, UsuarioAlteracaoDescricao string,"
    " UsuarioAlteracaoEmail string, UsuarioCriacao uniqueidentifier, UsuarioCriacaoDescricao string,"
    " UsuarioCriacaoEmail string, VirtualHtmlConversa string"
)


@method("Consultar", takes="Hash! varchar", gives=CONSULTED)
def consult(call: Call) -> list[Row]:
    """The atendimento with that Hash (or id); none is an empty list."""
    key = call.key_or_none("Hash")
    found = conversation(key, scope=call.caller.scope) if key is not None else None
    return [] if found is None else [consulted(found, call, call.method)]


@method(
    "Listar",
    query="token",
    gives="AcessoLiberado text, Alteracao datetime, Atendente uniqueidentifier, Autonumeracao int,"
    " AutonumeracaoEmpresa int, Cadastro smalldatetime, Categoria int, Concluido bit, Empresa uniqueidentifier,"
    " Hash uniqueidentifier, Iniciado bit, InicioAtendimento smalldatetime, Notificavel bit,"
    " ObservacoesAdicionais text, Plataforma int, PlataformaFormaContato int, Privado bit,"
    " ReferenteResponsavel uniqueidentifier, ReferenteSolicitante uniqueidentifier, SolicitanteEmEspera bit,"
    " TerminoAtendimento smalldatetime, Titulo string, UsuarioAlteracao uniqueidentifier,"
    " UsuarioCriacao uniqueidentifier",
)
def list_all(call: Call) -> list[Row]:
    """Every atendimento of the token's companies, newest first, up to the ceiling."""
    rows = all_conversations(call.caller.scope, limit=settings.TEMPBOX_ROWS_CEILING)
    answer = []
    for row in rows:
        company = call.caller.by_id[row.company_id]
        answer.append(call.method.present(_own(row, call, company), ZoneInfo(company.time_zone)))
    return answer


@method("Excluir", query="token Hash", takes="Hash! uniqueidentifier", writes=True)
def remove(call: Call) -> None:
    """Nothing; the atendimento is gone from every list."""
    key = call.get("Hash")
    found = conversation(key, scope=call.caller.scope)
    by = call.caller.attendant_in(found.company_id) if found is not None else None
    delete(key, scope=call.caller.scope, now=call.now, by=by)


def consulted(atendimento: Atendimento, call: Call, shape: Method) -> Row:
    """The row of Consultar, which Salvar gives too. `shape` = the method whose fields they are."""
    company = call.caller.by_id[atendimento.company_id]
    zone = ZoneInfo(company.time_zone)
    values = {
        **_own(atendimento, call, company),
        "AtendenteDescricao": _name(atendimento.attendant),
        "DataUltimaInteracaoAtendente": atendimento.attendant_at,
        "DataUltimaInteracaoSolicitante": atendimento.requester_at,
        "DefinirObrigatoriamenteAtendenteHumano": atendimento.needs_human,
        "ReferenteCanal": atendimento.channel_id,
        "ReferenteCanalFormaContato": atendimento.address_id,
        "ReferenteResponsavelDescricao": _name(atendimento.responsible_attendant or atendimento.responsible_team),
        "ReferenteSolicitanteDescricao": _title(atendimento.contact),
        "UsuarioAlteracaoDescricao": _name(atendimento.updated_by),
        "UsuarioAlteracaoEmail": _email(atendimento.updated_by),
        "UsuarioCriacaoDescricao": _name(atendimento.created_by),
        "UsuarioCriacaoEmail": _email(atendimento.created_by),
        "VirtualHtmlConversa": _as_html(atendimento, company, zone),
    }
    return shape.present(values, zone)


def _own(atendimento: Atendimento, call: Call, company: CompanyRef) -> Row:
    address_platform = atendimento.address.platform if atendimento.address is not None else None
    return {
        "AcessoLiberado": atendimento.access_granted,
        "Alteracao": atendimento.updated_at,
        "Atendente": atendimento.attendant_id,
        "Autonumeracao": atendimento.number,
        "AutonumeracaoEmpresa": atendimento.company_number,
        "Cadastro": atendimento.created_at,
        "Categoria": call.codes.out(Kind.CATEGORY, atendimento.category),
        "Concluido": not atendimento.is_open,
        "Empresa": company.uid,
        "Hash": atendimento.hash,
        "Iniciado": atendimento.is_started,
        "InicioAtendimento": atendimento.started_at,
        "Notificavel": atendimento.is_notifiable,
        "ObservacoesAdicionais": atendimento.notes,
        "Plataforma": call.codes.out(Kind.PLATFORM, atendimento.platform),
        "PlataformaFormaContato": call.codes.out(Kind.PLATFORM, address_platform),
        "Privado": atendimento.is_private,
        "ReferenteResponsavel": atendimento.responsible_attendant_id or atendimento.responsible_team_id,
        "ReferenteSolicitante": atendimento.contact_id,
        "SolicitanteEmEspera": atendimento.is_waiting,
        "TerminoAtendimento": atendimento.closed_at,
        "Titulo": atendimento.title,
        "UsuarioAlteracao": atendimento.updated_by_id,
        "UsuarioCriacao": atendimento.created_by_id,
    }


def _as_html(atendimento: Atendimento, company: CompanyRef, zone: ZoneInfo) -> str:
    """The conversation without notes, every text escaped."""
    rows = thread(atendimento, with_notes=False, limit=settings.TEMPBOX_ROWS_CEILING)
    contact = _title(atendimento.contact) or ""
    return format_html_join(
        "",
        '<div class="{}"><strong>{}</strong> <time>{}</time><p>{}</p></div>',
        (
            (
                "solicitante" if row["is_inbound"] else "atendente",
                contact if row["is_inbound"] else row["author_name"] or company.title,
                display.day_and_time(row["created_at"], zone),
                row["text"],
            )
            for row in rows
        ),
    )


def _name(who: Any) -> str | None:
    return None if who is None else str(who)


def _email(who: Attendant | None) -> str | None:
    return None if who is None else who.email


def _title(contact: Contact | None) -> str | None:
    return None if contact is None else contact.title
