"""Lists of messages: of one atendimento, of the open ones, and of the site's chats by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings

from callcenter.lib.errors import InvalidInput
from helpdesk.models import Atendimento
from helpdesk.selectors import messages
from helpdesk.selectors.codes import Kind
from helpdesk.services.reading import mark_read
from helpdesk.tempbox import display
from helpdesk.tempbox.methods.conversations import contact_title, platform_content
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    from helpdesk.data import CompanyRef
    from helpdesk.models import Attachment
    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Row


@method(
    "ListarMensagensAtendimento",
    takes="Atendimento! varchar, Empresa varchar",
    gives="AtendenteHash uniqueidentifier, AtendenteImagem string, AtendenteMensagemTipoAtendenteTitulo string,"
    " AtendentePrimeiroNome string, AtendenteTitulo string, Atendimento uniqueidentifier,"
    " AtendimentoHash uniqueidentifier, AtendimentoMensagem uniqueidentifier, Autonumeracao int,"
    " AutorMensagem string, Cadastro datetime, Empresa uniqueidentifier, Hash uniqueidentifier, Horario string,"
    " HorarioSegundos string, Imagem int, Mensagem string, MensagemAtendente int, Momento string,"
    " SolicitanteCor string, SolicitanteIniciais string, SolicitanteTitulo string",
)
def list_thread(call: Call) -> list[Row]:
    """The attendant's view, oldest first, notes included. Effects: the requester's messages are read."""
    atendimento = _asked_for(call)
    if atendimento is None:
        return []
    # First: what comes in between is shown once more as unread, and nothing is read that was not shown.
    mark_read(atendimento, now=call.now)
    rows = messages.thread(atendimento, with_notes=True, limit=settings.TEMPBOX_ROWS_CEILING)
    return [_present(row, call, call.company) for row in rows]


@method(
    "ListarMensagensAtendimentoChat",
    takes="Atendimento! varchar, Empresa varchar",
    gives="AtendenteHash uniqueidentifier, AtendenteImagem string, AtendentePrimeiroNome string,"
    " AtendenteTitulo string, Atendimento uniqueidentifier, AtendimentoHash uniqueidentifier,"
    " AtendimentoMensagem uniqueidentifier, Autonumeracao int, AutorMensagem string, Cadastro datetime,"
    " Empresa uniqueidentifier, Hash uniqueidentifier, Horario string, Imagem int, Mensagem string,"
    " MensagemAtendente int, Momento string, SolicitanteCor string, SolicitanteIniciais string,"
    " SolicitanteTitulo string",
)
def list_chat(call: Call) -> list[Row]:
    """The visitor's view: the same without notes, and nothing is marked as read."""
    atendimento = _asked_for(call)
    if atendimento is None:
        return []
    rows = messages.thread(atendimento, with_notes=False, limit=settings.TEMPBOX_ROWS_CEILING)
    return [_present(row, call, call.company) for row in rows]


@method(
    "ObterNovasMensagensChatSiteSse",
    takes="Inicio int, Termino int",
    gives="AtendenteHash uniqueidentifier, AtendenteImagem string, AtendentePrimeiroNome string,"
    " AtendenteTitulo string, Atendimento uniqueidentifier, AtendimentoHash uniqueidentifier,"
    " AtendimentoMensagem uniqueidentifier, Autonumeracao int, AutorMensagem string, Cadastro datetime,"
    " Empresa uniqueidentifier, Hash uniqueidentifier, Horario string, Imagem int, Mensagem string,"
    " MensagemAtendente int, Momento string, SolicitanteCor string, SolicitanteIniciais string,"
    " SolicitanteTitulo string, TipoAtendente int",
)
def list_site_chats(call: Call) -> list[Row]:
    """The site chats' messages of all companies of the token in the window of numbers, ascending, at most 500."""
    rows = messages.site_chat_messages(call.caller.scope, window=_window(call))
    return [_present(row, call, call.caller.by_id[row["company_id"]]) for row in rows]


@method(
    "ListarMensagensEmAberto",
    takes="Empresa varchar, Inicio int, Termino int",
    gives="ArquivoAnexo string, AtendenteHash uniqueidentifier, AtendenteImagem string,"
    " AtendenteMensagemTipoAtendenteTitulo string, AtendenteOriginalTitulo string, AtendentePrimeiroNome string,"
    " AtendenteResponsavel uniqueidentifier, AtendenteResponsavelImagem string,"
    " AtendenteResponsavelPrimeiroNome string, AtendenteResponsavelTitulo string, AtendenteTitulo string,"
    " Atendimento uniqueidentifier, AtendimentoHash uniqueidentifier, AtendimentoMensagem uniqueidentifier,"
    " AtendimentoOriginalHash uniqueidentifier, Autonumeracao int, AutorMensagem string, Cadastro datetime,"
    " Empresa uniqueidentifier, Extensao string, Hash uniqueidentifier, Horario string, HorarioSegundos string,"
    " Imagem int, InicioAtendimentoOriginal smalldatetime, Mensagem string, MensagemAtendente bit,"
    " Momento string, SolicitanteCor string, SolicitanteIniciais string, SolicitanteTitulo string,"
    " TerminoAtendimentoOriginal smalldatetime, UrlAnexo string",
)
def list_of_open(call: Call) -> list[Row]:
    """The messages of the open atendimentos, and what their contacts wrote earlier, by number, at most 500."""
    company_id = call.company.id
    window = _window(call)
    rows = messages.messages_of_open_ones(company_id, window=window)
    ones = list(messages.open_ones_of(rows, company_id=company_id))
    by_id = {one["id"]: one for one in ones}
    # Under a contact's newest open one stands what was written in closed ones.
    by_contact = {one["contact_id"]: one for one in ones}
    files = messages.first_attachments(row["id"] for row in rows)
    answer = []
    for row in rows:
        one = by_id.get(row["atendimento_id"]) or by_contact.get(row["contact_id"])
        # It was closed between the two queries.
        if one is None:
            continue
        holder = {"id": one["attendant_id"], "name": one["holder_name"], "image": one["holder_image"]}
        shown = {"Atendimento": one["id"], "AtendimentoHash": one["hash"], **_holder(holder)}
        answer.append(_present(row, call, call.company, **shown, **_original(row), **_file(files.get(row["id"]))))
    return answer


@method(
    "ListarUltimasMensagens",
    takes="Empresa varchar",
    gives="ArquivoAnexo string, AtendenteHash uniqueidentifier, AtendenteImagem string,"
    " AtendenteMensagemTipoAtendenteTitulo string, AtendenteOriginalTitulo string, AtendentePrimeiroNome string,"
    " AtendenteResponsavel uniqueidentifier, AtendenteResponsavelImagem string,"
    " AtendenteResponsavelPrimeiroNome string, AtendenteResponsavelTitulo string, AtendenteTitulo string,"
    " Atendimento uniqueidentifier, AtendimentoHash uniqueidentifier, AtendimentoMensagem uniqueidentifier,"
    " AtendimentoOriginalHash uniqueidentifier, Autonumeracao int, AutonumeracaoEmpresa int,"
    " AutorMensagem string, Cadastro datetime, Empresa uniqueidentifier, Extensao string, Hash uniqueidentifier,"
    " Horario string, HorarioSegundos string, Imagem int, InicioAtendimentoOriginal smalldatetime,"
    " Mensagem string, MensagemAtendente bit, MensagemReticencias string, Momento string,"
    " PlataformaConteudo string, PlataformaTitulo string, SolicitanteCor string, SolicitanteEmEspera bit,"
    " SolicitanteIniciais string, SolicitanteTitulo string, TerminoAtendimentoOriginal smalldatetime,"
    " UrlAnexo string",
)
def list_last(call: Call) -> list[Row]:
    """The latest message of each open atendimento, newest first."""
    rows = list(messages.last_messages(call.company.id, limit=settings.TEMPBOX_ROWS_CEILING))
    files = messages.first_attachments(row["id"] for row in rows)
    answer = []
    for row in rows:
        title = call.codes.title(Kind.PLATFORM, row["platform"])
        holder = {"id": row["holder_id"], "name": row["holder_name"], "image": row["holder_image"]}
        shown = {
            "AutonumeracaoEmpresa": row["company_number"],
            "MensagemReticencias": display.shortened(row["text"]),
            "PlataformaConteudo": platform_content(title, row["channel_title"]),
            "PlataformaTitulo": title,
            "SolicitanteEmEspera": row["is_waiting"],
        }
        more = {**shown, **_holder(holder), **_original(row), **_file(files.get(row["id"]))}
        answer.append(_present(row, call, call.company, **more))
    return answer


def _asked_for(call: Call) -> Atendimento | None:
    company_id, key = call.company.id, call.key_or_none("Atendimento")
    if key is None:
        return None
    found: Atendimento | None = Atendimento.objects.living().filter(company_id=company_id).known_as(key).first()
    return found


def _window(call: Call) -> tuple[int, int | None]:
    """From which number to which; a missing end, or 0, is none.

    Errors: `InvalidInput` for a number below 0.
    """
    first, last = call.get("Inicio") or 0, call.get("Termino") or None
    if first < 0 or (last or 0) < 0:
        raise InvalidInput("Inicio", "Inicio, Termino >= 0")
    return first, last


def _present(row: dict[str, Any], call: Call, company: CompanyRef, **more: Any) -> Row:
    zone, at = ZoneInfo(company.time_zone), row["created_at"]
    kind, title = row["author_kind"], contact_title(row)
    values = {
        "AtendenteHash": row["author_hash"],
        "AtendenteImagem": row["author_image"],
        "AtendenteMensagemTipoAtendenteTitulo": call.codes.title(Kind.ATTENDANT_KIND, kind),
        "AtendentePrimeiroNome": display.first_word(row["author_name"]),
        "AtendenteTitulo": row["author_name"],
        "Atendimento": row["atendimento_id"],
        "AtendimentoHash": row["atendimento_hash"],
        "AtendimentoMensagem": row["id"],
        "Autonumeracao": row["number"],
        # Whoever wrote: the requester, an attendant, or the company by itself.
        "AutorMensagem": title if row["is_inbound"] else row["author_name"] or company.title,
        "Cadastro": at,
        "Empresa": company.uid,
        "Hash": row["hash"],
        "Horario": display.hour(at, zone),
        "HorarioSegundos": display.hour_with_seconds(at, zone),
        # The contract types it int: a number or null, and we have pictures as addresses only.
        "Imagem": None,
        "Mensagem": row["text"],
        "MensagemAtendente": not row["is_inbound"],
        "Momento": display.moment(at, zone, now=call.now),
        "SolicitanteCor": display.colour(row["contact_hash"]) if row["contact_hash"] else None,
        "SolicitanteIniciais": display.initials(title),
        "SolicitanteTitulo": title,
        "TipoAtendente": call.codes.out(Kind.ATTENDANT_KIND, kind),
        **more,
    }
    return call.method.present(values, zone)


def _holder(holder: dict[str, Any]) -> Row:
    return {
        "AtendenteResponsavel": holder["id"],
        "AtendenteResponsavelImagem": holder["image"],
        "AtendenteResponsavelPrimeiroNome": display.first_word(holder["name"]),
        "AtendenteResponsavelTitulo": holder["name"],
    }


def _original(row: dict[str, Any]) -> Row:
    return {
        "AtendenteOriginalTitulo": row["original_attendant"],
        "AtendimentoOriginalHash": row["atendimento_hash"],
        "InicioAtendimentoOriginal": row["original_started_at"],
        "TerminoAtendimentoOriginal": row["original_closed_at"],
    }


def _file(attachment: Attachment | None) -> Row:
    if attachment is None:
        return {"ArquivoAnexo": None, "Extensao": None, "UrlAnexo": None}
    return {
        "ArquivoAnexo": attachment.name,
        "Extensao": attachment.extension or None,
        "UrlAnexo": attachment.url or None,
    }
