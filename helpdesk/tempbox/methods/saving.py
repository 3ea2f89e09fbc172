"""Salvar: one method that inserts or updates, by whatever identifies the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, InvalidInput, NotFound
from helpdesk.models import Atendimento, Attendant, Team
from helpdesk.selectors.codes import Kind
from helpdesk.selectors.conversations import conversation
from helpdesk.services.contacts import contact_known_as
from helpdesk.services.rows import locked_with_contact
from helpdesk.services.saving import create_atendimento, save_atendimento
from helpdesk.tempbox import wire
from helpdesk.tempbox.methods.records import consulted
from helpdesk.tempbox.registry import METHODS, method

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Row

_INSERT: Final = "inserir"
_UPDATE: Final = "alterar"
_LOOKUPS: Final = ("Hash", "Atendimento", "Autonumeracao", "AutonumeracaoEmpresa", "Titulo")
_MAX_TITLE: Final = 200
_MAX_TEXT: Final = 100_000


@method(
    "Salvar",
    takes="AcessoLiberado text, Atendente uniqueidentifier, CamposAtualizados nvarchar, Categoria int, Concluido bit,"
    " ConsultarPorCampo varchar, Empresa varchar, Hash varchar, HashAplicado uniqueidentifier, Iniciado bit,"
    " InicioAtendimento smalldatetime, Modo varchar, Notificavel bit, ObservacoesAdicionais text, Plataforma int,"
    " Privado bit, ReferenteResponsavel uniqueidentifier, ReferenteSolicitante uniqueidentifier, RetornarDataSet bit,"
    " TerminoAtendimento smalldatetime, Titulo varchar, UsuarioAlteracao uniqueidentifier,"
    " UsuarioCriacao uniqueidentifier, ValorConsultaPorCampo varchar, VirtualHtmlConversa nvarchar",
    writes=True,
)
def save(call: Call) -> list[Row] | None:
    """The row as Consultar gives it; null when `RetornarDataSet` is false."""
    mode = (call.get("Modo") or "").strip().lower()
    if mode not in {"", _INSERT, _UPDATE}:
        raise InvalidInput("Modo", _("Modo precisa ser Inserir, Alterar ou vazio."))
    key = _found(call)
    if key is None and mode == _UPDATE:
        raise NotFound(_("Não existe este atendimento."))
    if key is not None and mode == _INSERT:
        raise Conflict(_("Já existe um atendimento com este identificador."))
    by = call.user
    if key is None:
        done = create_atendimento(
            call.company.id,
            values=_values(call, is_new=True),
            by=by,
            now=call.now,
            chosen_hash=call.get("HashAplicado") or (call.key("Hash") if call.get("Hash") else None),
        )
    else:
        values = _values(call, is_new=False)
        atendimento = locked_with_contact(key, scope=[call.company.id], also=values.get("contact"))
        done = save_atendimento(atendimento, values=values, by=by, now=call.now)
    if call.get("RetornarDataSet") is False:
        return None
    saved = conversation(done.atendimento.pk, scope=[call.company.id])
    return [] if saved is None else [consulted(saved, call, METHODS["Consultar"])]


def _found(call: Call) -> uuid.UUID | None:
    """The id of the row that the call means; None for a new one.

    Errors: `Conflict` when several fit; `NotFound` for a hash that is taken elsewhere.
    """
    rows = Atendimento.objects.filter(company_id=call.company.id)
    conditions = []
    if call.get("Hash") is not None:
        conditions.append(_by_key(call.key("Hash")))
    if call.get("ConsultarPorCampo") is not None:
        conditions.append(_by_column(call))
    if call.get("HashAplicado") is not None:
        conditions.append(_by_key(call.get("HashAplicado")))
    for condition in conditions:
        found: list[uuid.UUID] = list(rows.living().filter(condition).values_list("pk", flat=True)[:2])
        if len(found) > 1:
            raise Conflict(_("Mais de um atendimento corresponde."))
        if found:
            return found[0]
    for name in ("Hash", "HashAplicado"):
        taken = call.get(name)
        if taken is not None and Atendimento.objects.filter(_by_key(wire.guid_in(str(taken), name))).exists():
            raise NotFound(_("Não existe este atendimento."))
    return None


def _by_column(call: Call) -> Q:
    column, value = call.get("ConsultarPorCampo").strip(), call.get("ValorConsultaPorCampo")
    name = next((known for known in _LOOKUPS if known.lower() == column.lower()), None)
    if name is None or value is None:
        raise InvalidInput("ConsultarPorCampo", _("Não se pode consultar por este campo."))
    if name in {"Hash", "Atendimento"}:
        return _by_key(wire.guid_in(value, "ValorConsultaPorCampo"))
    if name == "Titulo":
        return Q(title=value)
    number = wire.bigint_in(value, "ValorConsultaPorCampo")
    return Q(number=number) if name == "Autonumeracao" else Q(company_number=number)


def _by_key(key: uuid.UUID) -> Q:
    return Q(pk=key) | Q(hash=key)


def _values(call: Call, *, is_new: bool) -> dict[str, Any]:
    """Column by column what is to be written: what was supplied, or exactly what `CamposAtualizados` lists."""
    names = set(_COLUMNS)
    listed = call.get("CamposAtualizados")
    if listed is not None:
        folded = {part.strip().lower() for part in listed.split(",") if part.strip()}
        names = {name for name in names if name.lower() in folded}
    else:
        names = {name for name in names if call.get(name) is not None}
    if not is_new:
        names.discard("UsuarioCriacao")
    values: dict[str, Any] = {}
    for name in sorted(names):
        values.update(_COLUMNS[name](call, name))
    # What needs a value when a new row is made, or is never empty.
    for column in ("created_by", "updated_by"):
        if column in values and values[column] is None:
            del values[column]
    return values


def _text(column: str, most: int) -> Callable[[Call, str], dict[str, Any]]:
    def read(call: Call, name: str) -> dict[str, Any]:
        text = call.get(name) or ""
        if len(text) > most:
            raise InvalidInput(name, _("“%(name)s” é longo demais.") % {"name": name})
        return {column: text}

    return read


def _bit(column: str) -> Callable[[Call, str], dict[str, Any]]:
    return lambda call, name: {column: bool(call.get(name))}


def _moment(column: str) -> Callable[[Call, str], dict[str, Any]]:
    return lambda call, name: {column: call.instant(name)}


def _code(column: str, kind: str, default: int) -> Callable[[Call, str], dict[str, Any]]:
    def read(call: Call, name: str) -> dict[str, Any]:
        code = call.get(name)
        value = default if code is None else call.codes.into(kind, code)
        if value is None:
            raise InvalidInput(name, _("“%(name)s” não é um código conhecido.") % {"name": name})
        return {column: value}

    return read


def _person(column: str) -> Callable[[Call, str], dict[str, Any]]:
    return lambda call, name: {column: call.attendant(name)}


def _responsible(call: Call, name: str) -> dict[str, Any]:
    """A person or a team: the reference is to either."""
    key = call.get(name)
    if key is None:
        return {"responsible_attendant": None, "responsible_team": None}
    company_id = call.company.id
    team = Team.objects.filter(company_id=company_id).known_as(key).first()
    person = None if team else Attendant.objects.filter(company_id=company_id).known_as(key).first()
    if team is None and person is None:
        raise NotFound(_("Não existe este responsável."))
    return {"responsible_attendant": person, "responsible_team": team}


def _requester(call: Call, name: str) -> dict[str, Any]:
    key = call.get(name)
    return {"contact": None if key is None else contact_known_as(key, company_id=call.company.id)}


_COLUMNS: Final[dict[str, Callable[[Call, str], dict[str, Any]]]] = {
    "AcessoLiberado": _text("access_granted", _MAX_TEXT),
    "Atendente": _person("attendant"),
    "Categoria": _code("category", Kind.CATEGORY, 0),
    "Concluido": _bit("is_closed"),
    "Iniciado": _bit("is_started"),
    "InicioAtendimento": _moment("started_at"),
    "Notificavel": _bit("is_notifiable"),
    "ObservacoesAdicionais": _text("notes", _MAX_TEXT),
    "Plataforma": _code("platform", Kind.PLATFORM, 10),
    "Privado": _bit("is_private"),
    "ReferenteResponsavel": _responsible,
    "ReferenteSolicitante": _requester,
    "TerminoAtendimento": _moment("closed_at"),
    "Titulo": _text("title", _MAX_TITLE),
    "UsuarioAlteracao": _person("updated_by"),
    "UsuarioCriacao": _person("created_by"),
}
