"""Starting, taking, forwarding and closing an atendimento."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpdesk.services.closing import close
from helpdesk.services.forwarding import forward
from helpdesk.services.rows import attendant_of, team_of
from helpdesk.services.taking import start, take
from helpdesk.states import ClosedWith
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    from helpdesk.models import Atendimento
    from helpdesk.tempbox.calls import Call
    from helpdesk.tempbox.registry import Row

_WHO_AND_WHICH = "Atendente! varchar, Atendimento! varchar, Empresa varchar"


@method(
    "IniciarAtendimento",
    takes=_WHO_AND_WHICH,
    gives="Atendente uniqueidentifier, Atendimento uniqueidentifier, Empresa uniqueidentifier, Hash uniqueidentifier,"
    " Iniciado bit, ReferenteResponsavel uniqueidentifier",
    writes=True,
)
def start_atendimento(call: Call) -> list[Row]:
    """The atendimento as it is now: its `Atendente` is the caller's, or whoever holds it already."""
    key = call.key("Atendimento")
    done = start(key, call.required_attendant(), scope=[call.company.id], now=call.now)
    return [_row(done.atendimento, call)]


@method(
    "PegarAtendimento",
    takes=_WHO_AND_WHICH,
    gives="Atendente uniqueidentifier, Atendimento uniqueidentifier, Concluido bit, Empresa uniqueidentifier,"
    " Hash uniqueidentifier, Iniciado bit, ReferenteResponsavel uniqueidentifier",
    writes=True,
)
def take_atendimento(call: Call) -> list[Row]:
    """The atendimento as it is now: of two who take it at once, both see the one who has it."""
    key = call.key("Atendimento")
    done = take(key, call.required_attendant(), scope=[call.company.id], now=call.now)
    return [_row(done.atendimento, call)]


@method(
    "EncaminharAtendimento",
    takes=_WHO_AND_WHICH,
    gives="Atendente uniqueidentifier, Atendimento uniqueidentifier, Empresa uniqueidentifier, Hash uniqueidentifier,"
    " Iniciado bit, ReferenteResponsavel uniqueidentifier, Titulo string",
    writes=True,
)
def forward_atendimento(call: Call) -> list[Row]:
    """The atendimento as it is now. `Atendente` may name a team: then it waits in that team's queue."""
    key, target = call.key("Atendimento"), call.key("Atendente")
    company_id = call.company.id
    to = team_of(target, company_id=company_id) or attendant_of(target, company_id=company_id)
    done = forward(key, to, scope=[company_id], now=call.now, by=call.user)
    call.bells |= done.bells
    return [_row(done.atendimento, call)]


@method("EncerrarAtendimento", takes="Atendimento! varchar, Empresa varchar", writes=True)
def close_atendimento(call: Call) -> None:
    """Nothing; the atendimento is closed, now or since earlier."""
    key = call.key("Atendimento")
    close(key, scope=[call.company.id], now=call.now, with_=ClosedWith.API, by=call.user)


def _row(atendimento: Atendimento, call: Call) -> Row:
    row: dict[str, Any] = {
        "Atendente": atendimento.attendant_id,
        "Atendimento": atendimento.pk,
        "Concluido": not atendimento.is_open,
        "Empresa": call.company.uid,
        "Hash": atendimento.hash,
        "Iniciado": atendimento.is_started,
        "ReferenteResponsavel": atendimento.responsible_attendant_id or atendimento.responsible_team_id,
        "Titulo": atendimento.title,
    }
    return call.method.present(row, call.zone)
