"""Lists of atendimentos: for the attendant's console, for the visitor, and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from helpdesk.models import Attendant, Contact
from helpdesk.models.atendimentos import PROTOCOL_DIGITS
from helpdesk.selectors import conversations
from helpdesk.selectors.attendants import team_names
from helpdesk.selectors.codes import Kind
from helpdesk.tempbox import display
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Row

_RECENT: Final = 10
_MOST_RECENT: Final = 1000


@method(
    "ListarEmAberto",
    takes="Empresa varchar",
    gives="AtendenteHash uniqueidentifier, AtendenteImagem string, AtendentePrimeiroNome string,"
    " AtendenteTitulo string, Atendimento uniqueidentifier, AtendimentoMensagem uniqueidentifier,"
    " Autonumeracao int, AutonumeracaoEmpresa int, Cadastro string, ChatInterno bit, Cidade string,"
    " Cliente uniqueidentifier, DiaMesHora string, Empresa uniqueidentifier, EquipesAtendentes string,"
    " Hash uniqueidentifier, Horario string, Imagem string, Iniciado bit, InicioAtendimento string,"
    " Mensagem string, Momento string, NaoLidas int, Plataforma int, PlataformaFormaContato int,"
    " PlataformaFormaContatoTitulo string, PlataformaTitulo string, QtdAtendimentos int, ReferenteCanal string,"
    " ReferenteCanalFormaContato string, ReferenteSolicitante uniqueidentifier,"
    " ReferenteSolicitanteHash uniqueidentifier, SolicitanteCor string, SolicitanteEmail string,"
    " SolicitanteEmpresa string, SolicitanteIniciais string, SolicitanteLocalizacao string,"
    " SolicitanteTelefone string, SolicitanteTitulo string, SolicitanteWhatsapp string, TagCliente string,"
    " TagNovo bit",
)
def list_open(call: Call) -> list[Row]:
    """One row an open atendimento of the company, the latest message first. Three queries."""
    return _console(call, conversations.open_conversations(call.company.id, limit=settings.TEMPBOX_ROWS_CEILING))


@method(
    "ListarMeusAtendimentos",
    takes="Contato! varchar, Empresa varchar",
    gives="AtendenteHash uniqueidentifier, AtendenteImagem string, AtendentePrimeiroNome string,"
    " AtendenteTitulo string, Atendimento uniqueidentifier, AtendimentoMensagem uniqueidentifier,"
    " Autonumeracao int, AutonumeracaoEmpresa int, Cadastro string, ChatInterno bit, Cidade string,"
    " Cliente uniqueidentifier, Concluido bit, Empresa uniqueidentifier, EquipesAtendentes string,"
    " Hash uniqueidentifier, Horario string, Imagem string, Iniciado bit, InicioAtendimento string,"
    " Mensagem string, Momento string, NaoLidas int, Plataforma int, PlataformaFormaContato int,"
    " PlataformaFormaContatoTitulo string, PlataformaTitulo string, QtdAtendimentos int, ReferenteCanal string,"
    " ReferenteCanalFormaContato string, ReferenteSolicitante uniqueidentifier,"
    " ReferenteSolicitanteHash uniqueidentifier, SolicitanteCor string, SolicitanteEmail string,"
    " SolicitanteEmpresa string, SolicitanteIniciais string, SolicitanteLocalizacao string,"
    " SolicitanteTelefone string, SolicitanteTitulo string, SolicitanteWhatsapp string, TagCliente string,"
    " TagNovo bit",
)
def list_of_contact(call: Call) -> list[Row]:
    """All of the contact, open and closed, newest first: what the visitor calls mine."""
    company_id, key = call.company.id, call.key_or_none("Contato")
    if key is None:
        return []
    rows = conversations.conversations_of(key, company_id=company_id, limit=settings.TEMPBOX_ROWS_CEILING)
    return [] if rows is None else _console(call, rows)


@method(
    "ListarRecentes",
    takes="top int",
    gives="Alteracao datetime, Atendente uniqueidentifier, AtendenteTitulo string, Atendimento uniqueidentifier,"
    " Autonumeracao int, Cadastro smalldatetime, Concluido bit, ContatoTitulo string,"
    " DataUltimaInteracaoAtendente datetime, DataUltimaInteracaoSolicitante datetime, Email string,"
    " Empresa uniqueidentifier, EmpresaTitulo string, Iniciado bit, InicioAtendimento smalldatetime,"
    " Plataforma int, PlataformaFormaContato int, ReferenteCanal uniqueidentifier,"
    " ReferenteCanalFormaContato uniqueidentifier, ReferenteSolicitante uniqueidentifier,"
    " SolicitanteEmEspera bit, TelefoneWhatsapp string, TerminoAtendimento smalldatetime",
)
def list_recent(call: Call) -> list[Row]:
    """The last altered ones over all companies of the token; `top` 0 or missing = 10."""
    top = call.get("top") or 0
    limit = min(top, _MOST_RECENT) if top > 0 else _RECENT
    rows = conversations.recent_conversations(call.caller.scope, limit=limit)
    return [_recent(row, call) for row in rows]


@method(
    "ListarRelatorioPrincipal",
    takes="Empresa varchar, Usuario varchar",
    gives="Atendente string, AtendenteHash uniqueidentifier, Atendimento uniqueidentifier, AtendimentoCodigo string,"
    " Autonumeracao int, AutonumeracaoEmpresa int, Cadastro string, CadastroValor smalldatetime,"
    " Concluido string, ConcluidoValor bit, Hash uniqueidentifier, Iniciado string, IniciadoValor bit,"
    " InicioAtendimento string, InicioAtendimentoValor smalldatetime, Marcadores string, MarcadoresHash string,"
    " Plataforma string, PlataformaConteudo string, PlataformaImagem int, PlataformaLabel int,"
    " ReferenteResponsavel string, ReferenteResponsavelDescricao string,"
    " ReferenteResponsavelHash uniqueidentifier, ReferenteResponsavelTipo string, ReferenteSolicitante string,"
    " ReferenteSolicitanteEmail string, ReferenteSolicitanteHash uniqueidentifier, TerminoAtendimento string,"
    " TerminoAtendimentoValor smalldatetime, Titulo string",
)
def list_report(call: Call) -> list[Row]:
    """All of the company that `Usuario` may see, newest first; without one all."""
    company_id, viewer = call.company.id, None
    if call.get("Usuario") is not None:
        key = call.key_or_none("Usuario")
        viewer = Attendant.objects.filter(company_id=company_id).known_as(key).first() if key else None
        if viewer is None:
            return []
    rows = list(conversations.reported_conversations(company_id, viewer=viewer, limit=settings.TEMPBOX_ROWS_CEILING))
    tags = conversations.tags_of(row["id"] for row in rows)
    return [_reported(row, call, tags.get(row["id"], [])) for row in rows]


def contact_title(row: dict[str, Any]) -> str:
    """How the requester of a row is called."""
    return Contact(
        name=row["contact_name"] or "",
        email=row["contact_email"] or "",
        phone_e164=row["contact_phone"] or "",
        whatsapp_e164=row["contact_whatsapp"] or "",
    ).title


def _console(call: Call, found: Iterable[dict[str, Any]]) -> list[Row]:
    rows = list(found)
    teams = team_names({row["attendant_id"] for row in rows if row["attendant_id"]})
    zone = call.zone
    return [call.method.present(_console_row(row, call, zone, teams), zone) for row in rows]


def _console_row(row: dict[str, Any], call: Call, zone: ZoneInfo, teams: dict[uuid.UUID, str]) -> Row:
    codes, at = call.codes, row["message_at"]
    title = contact_title(row)
    has_contact = row["contact_hash"] is not None
    return {
        "AtendenteHash": row["attendant_hash"],
        "AtendenteImagem": row["attendant_image"],
        "AtendentePrimeiroNome": display.first_word(row["attendant_name"]),
        "AtendenteTitulo": row["attendant_name"],
        "Atendimento": row["id"],
        "AtendimentoMensagem": row["last_message_id"],
        "Autonumeracao": row["number"],
        "AutonumeracaoEmpresa": row["company_number"],
        "Cadastro": display.day_and_time(row["created_at"], zone),
        "ChatInterno": row["is_internal_chat"],
        "Cidade": row["contact_city"],
        "Cliente": row["customer_id"],
        "Concluido": conversations.is_closed(row),
        "DiaMesHora": display.day_month_time(at, zone),
        "Empresa": call.company.uid,
        "EquipesAtendentes": teams.get(row["attendant_id"], ""),
        "Hash": row["hash"],
        "Horario": display.hour(at, zone),
        "Imagem": row["contact_image"],
        "Iniciado": row["is_started"],
        "InicioAtendimento": display.day_and_time(row["started_at"], zone),
        "Mensagem": row["text"],
        "Momento": display.moment(at, zone, now=call.now),
        "NaoLidas": row["unread"],
        "Plataforma": codes.out(Kind.PLATFORM, row["platform"]),
        "PlataformaFormaContato": codes.out(Kind.PLATFORM, row["address_platform"]),
        "PlataformaFormaContatoTitulo": codes.title(Kind.PLATFORM, row["address_platform"]),
        "PlataformaTitulo": codes.title(Kind.PLATFORM, row["platform"]),
        "QtdAtendimentos": row["contact_count"],
        "ReferenteCanal": row["channel_title"],
        "ReferenteCanalFormaContato": row["address_text"],
        "ReferenteSolicitante": row["contact_id"],
        "ReferenteSolicitanteHash": row["contact_hash"],
        "SolicitanteCor": display.colour(row["contact_hash"]) if has_contact else None,
        "SolicitanteEmail": row["contact_email"],
        "SolicitanteEmpresa": row["contact_organisation"],
        "SolicitanteIniciais": display.initials(title),
        "SolicitanteLocalizacao": display.place(row["contact_city"] or "", row["contact_state"] or ""),
        "SolicitanteTelefone": row["contact_phone"],
        "SolicitanteTitulo": title,
        "SolicitanteWhatsapp": row["contact_whatsapp"],
        "TagCliente": "Cliente" if row["customer_id"] else "",
        "TagNovo": row["contact_count"] == 1,
    }


def _recent(row: dict[str, Any], call: Call) -> Row:
    company = call.caller.by_id[row["company_id"]]
    values = {
        "Alteracao": row["updated_at"],
        "Atendente": row["attendant_id"],
        "AtendenteTitulo": row["attendant_name"],
        "Atendimento": row["id"],
        "Autonumeracao": row["number"],
        "Cadastro": row["created_at"],
        "Concluido": conversations.is_closed(row),
        "ContatoTitulo": contact_title(row),
        "DataUltimaInteracaoAtendente": row["attendant_at"],
        "DataUltimaInteracaoSolicitante": row["requester_at"],
        "Email": row["contact_email"],
        "Empresa": company.uid,
        "EmpresaTitulo": company.title,
        "Iniciado": row["is_started"],
        "InicioAtendimento": row["started_at"],
        "Plataforma": call.codes.out(Kind.PLATFORM, row["platform"]),
        "PlataformaFormaContato": call.codes.out(Kind.PLATFORM, row["address_platform"]),
        "ReferenteCanal": row["channel_id"],
        "ReferenteCanalFormaContato": row["address_id"],
        "ReferenteSolicitante": row["contact_id"],
        "SolicitanteEmEspera": row["is_waiting"],
        "TelefoneWhatsapp": row["contact_whatsapp"],
        "TerminoAtendimento": row["closed_at"],
    }
    return call.method.present(values, ZoneInfo(company.time_zone))


def _reported(row: dict[str, Any], call: Call, tags: list[tuple[str, uuid.UUID]]) -> Row:
    zone, is_closed = call.zone, conversations.is_closed(row)
    platform = call.codes.title(Kind.PLATFORM, row["platform"])
    is_person, is_team = row["person_hash"] is not None, row["team_hash"] is not None
    responsible = row["person_name"] or row["team_name"]
    values = {
        "Atendente": row["attendant_name"],
        "AtendenteHash": row["attendant_hash"],
        "Atendimento": row["id"],
        "AtendimentoCodigo": f"{row['company_number']:0{PROTOCOL_DIGITS}d}",
        "Autonumeracao": row["number"],
        "AutonumeracaoEmpresa": row["company_number"],
        "Cadastro": display.day_and_time(row["created_at"], zone),
        "CadastroValor": row["created_at"],
        "Concluido": _yes(is_closed),
        "ConcluidoValor": is_closed,
        "Hash": row["hash"],
        "Iniciado": _yes(row["is_started"]),
        "IniciadoValor": row["is_started"],
        "InicioAtendimento": display.day_and_time(row["started_at"], zone),
        "InicioAtendimentoValor": row["started_at"],
        "Marcadores": ", ".join(title for title, _key in tags),
        "MarcadoresHash": ", ".join(str(key) for _title, key in tags),
        "Plataforma": platform,
        "PlataformaConteudo": platform_content(platform, row["channel_title"]),
        "PlataformaImagem": row["platform"],
        "PlataformaLabel": row["platform"],
        "ReferenteResponsavel": responsible,
        "ReferenteResponsavelDescricao": responsible,
        "ReferenteResponsavelHash": row["person_hash"] or row["team_hash"],
        "ReferenteResponsavelTipo": "Usuário" if is_person else "Equipe" if is_team else None,
        "ReferenteSolicitante": contact_title(row),
        "ReferenteSolicitanteEmail": row["contact_email"],
        "ReferenteSolicitanteHash": row["contact_hash"],
        "TerminoAtendimento": display.day_and_time(row["closed_at"], zone),
        "TerminoAtendimentoValor": row["closed_at"],
        "Titulo": row["title"],
    }
    return call.method.present(values, zone)


def platform_content(platform: str | None, channel: str | None) -> str:
    """The medium and the channel as one text."""
    return " · ".join(part for part in (platform, channel) if part)


def _yes(value: bool) -> str:
    return "Sim" if value else "Não"
