"""Who works with whom, ready answers, and free times for an appointment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from helpdesk.models import Attendant, CannedMessage
from helpdesk.selectors.attendants import team_mates
from helpdesk.selectors.calendars import free_appointment_slots
from helpdesk.selectors.codes import Kind
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    import uuid

    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Row


@method(
    "ListarMensagensPadrao",
    takes="Empresa varchar",
    gives="AtendimentoMensagemPadrao uniqueidentifier, Hash uniqueidentifier, Plataforma int, Titulo string,"
    " TituloAbreviado bigint",
)
def list_canned(call: Call) -> list[Row]:
    """The active canned messages of the company, by title; a null `Plataforma` = for every medium."""
    rows = CannedMessage.objects.filter(company_id=call.company.id, is_active=True).order_by("title", "id")
    return [
        call.method.present(
            {
                "AtendimentoMensagemPadrao": row.pk,
                "Hash": row.hash,
                "Plataforma": call.codes.out(Kind.PLATFORM, row.platform),
                "Titulo": row.title,
                "TituloAbreviado": row.shortcut,
            },
            call.zone,
        )
        for row in rows[: settings.TEMPBOX_ROWS_CEILING]
    ]


@method(
    "ListarHashesOutrosAtendentesEquipesAtendente",
    takes="Atendente! varchar",
    gives="Hash uniqueidentifier",
)
def list_team_mates(call: Call) -> list[Row]:
    """The hashes of the active attendants of any kind who share a team with `Atendente`."""
    attendant = _anywhere(call)
    return _hashes(team_mates(attendant)) if attendant is not None else []


@method("ListarHashesOutrosHumanosEquipesAtendente", takes="Atendente! varchar")
def list_people_of_teams(call: Call) -> list[Row] | None:
    """The same for people only. The contract says null: it is null without any, or always by setting."""
    attendant = None if settings.TEMPBOX_HUMAN_HASHES_ALWAYS_NULL else _anywhere(call)
    return _hashes(team_mates(attendant, only_people=True)) or None if attendant is not None else None


@method(
    "ListarDiasHorariosAtendentesAgendaDisponivel",
    takes="AtendenteRelacionado varchar, Empresa varchar",
    gives="Data datetime, Usuario uniqueidentifier",
)
def list_free_times(call: Call) -> list[Row]:
    """The free appointment times of the company's people, or of one of them, by time."""
    company_id, attendant = call.company.id, None
    if call.get("AtendenteRelacionado") is not None:
        key = call.key_or_none("AtendenteRelacionado")
        attendant = Attendant.objects.filter(company_id=company_id).known_as(key).first() if key else None
        if attendant is None:
            return []
    slots = free_appointment_slots(company_id, now=call.now, attendant=attendant)
    rows = sorted((slot.starts_at, str(slot.attendant.pk)) for slot in slots)[: settings.TEMPBOX_ROWS_CEILING]
    return [call.method.present({"Data": at, "Usuario": who}, call.zone) for at, who in rows]


def _anywhere(call: Call) -> Attendant | None:
    """The attendant in any company of the token; the contract gives these methods no Empresa."""
    key = call.key_or_none("Atendente")
    if key is None:
        return None
    found: Attendant | None = Attendant.objects.visible_to(call.caller.scope).known_as(key).first()
    return found


def _hashes(found: list[uuid.UUID]) -> list[Row]:
    return [{"Hash": str(key)} for key in found]
