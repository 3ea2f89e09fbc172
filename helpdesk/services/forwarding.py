"""Passing a conversation on: to a person, to a team's queue, to an automation, and from an automation to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput
from helpdesk.data import Bell, Done
from helpdesk.models import Attendant, Team
from helpdesk.services.occurrences import ask_for_work, log_occurrence, settle_work
from helpdesk.services.opening import note_received
from helpdesk.services.rows import locked_atendimento, move, record_transfer, refuse_closed
from helpdesk.states import OccurrenceCategory, OccurrenceStatus, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Atendimento


def forward(
    key: uuid.UUID,
    to: Attendant | Team,
    *,
    scope: Iterable[int] | None,
    now: datetime,
    by: Attendant | None = None,
    reason: TransferReason = TransferReason.FORWARDED,
) -> Done:
    """The atendimento, passed to a person (who has not started it yet), an automation, or a team's queue.

    The clock of the first start is kept, and whether the requester waits.
    Errors: `NotFound`; `InvalidInput` for a target of another company or one that is not active; `Conflict` when it is
    closed. Safe to repeat: the same holder again changes nothing.
    Effects: a transfer and an occurrence; for a queue or an automation the work that it asks for.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        refuse_closed(atendimento)
        if to.company_id != atendimento.company_id or not to.is_active:
            raise InvalidInput("Atendente", _("O destino não é desta empresa ou não está ativo."))
        if is_with(atendimento, to):
            return Done(atendimento, has_changed=False)
        return _pass(atendimento, to, now=now, by=by, reason=reason)


def hand_over(
    atendimento: Atendimento,
    *,
    now: datetime,
    reason: TransferReason,
    team: Team | None = None,
    by: Attendant | None = None,
) -> Done:
    """The atendimento back in a queue of people: its automation gave up, or the one who held it was silent.

    No automation answers it any more, and the requester waits. `team` empty = the team that is responsible, or the
    channel's. `atendimento` must be locked by the caller.
    Errors: `Conflict` when it is closed.
    """
    with transaction.atomic():
        refuse_closed(atendimento)
        waits: dict[str, Any] = {} if atendimento.is_waiting else {"waiting_since": now, "auto_replied_at": None}
        channel_team = atendimento.channel.team if atendimento.channel is not None else None
        return _to_queue(
            atendimento,
            team or atendimento.responsible_team or channel_team,
            now=now,
            by=by,
            reason=reason,
            needs_human=True,
            is_waiting=True,
            **waits,
        )


def is_with(atendimento: Atendimento, to: Attendant | Team) -> bool:
    """Whether the atendimento is already where `to` would have it."""
    if isinstance(to, Attendant):
        return atendimento.attendant_id == to.pk
    return atendimento.state == S.QUEUED and atendimento.responsible_team_id == to.pk


def _pass(
    atendimento: Atendimento, to: Attendant | Team, *, now: datetime, by: Attendant | None, reason: TransferReason
) -> Done:
    if isinstance(to, Team):
        return _to_queue(atendimento, to, now=now, by=by, reason=reason)
    if to.is_human:
        return _to_person(atendimento, to, now=now, by=by, reason=reason)
    return _to_automation(atendimento, to, now=now, by=by, reason=reason)


def _to_person(
    atendimento: Atendimento, person: Attendant, *, now: datetime, by: Attendant | None, reason: TransferReason
) -> Done:
    settle_work(atendimento, [OccurrenceCategory.NO_ATTENDANT], status=OccurrenceStatus.DONE, now=now)
    settle_work(atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.SKIPPED, now=now)
    _hop(
        atendimento,
        S.ASSIGNED,
        now=now,
        by=by,
        reason=reason,
        attendant=person,
        responsible_attendant=person,
        responsible_team=None,
        needs_human=atendimento.needs_human or atendimento.state == S.AUTOMATIC,
        given_at=now,
    )
    note_received(person, now=now)
    return Done(atendimento)


def _to_automation(
    atendimento: Atendimento, automation: Attendant, *, now: datetime, by: Attendant | None, reason: TransferReason
) -> Done:
    settle_work(atendimento, [OccurrenceCategory.NO_ATTENDANT], status=OccurrenceStatus.SKIPPED, now=now)
    _hop(
        atendimento,
        S.AUTOMATIC,
        now=now,
        by=by,
        reason=reason,
        attendant=automation,
        responsible_attendant=None,
        needs_human=False,
        given_at=None,
    )
    if not atendimento.is_waiting:
        return Done(atendimento)
    ask_for_work(atendimento, OccurrenceCategory.FIRST_REPLY, now=now)
    return Done(atendimento, bells=frozenset({Bell.ANSWER}))


def _to_queue(
    atendimento: Atendimento,
    team: Team | None,
    *,
    now: datetime,
    by: Attendant | None,
    reason: TransferReason,
    **changes: Any,
) -> Done:
    settle_work(atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.SKIPPED, now=now)
    _hop(
        atendimento,
        S.QUEUED,
        now=now,
        by=by,
        reason=reason,
        attendant=None,
        responsible_attendant=None,
        responsible_team=team,
        given_at=None,
        **changes,
    )
    ask_for_work(atendimento, OccurrenceCategory.NO_ATTENDANT, now=now)
    return Done(atendimento, bells=frozenset({Bell.ASSIGN}))


def _hop(
    atendimento: Atendimento,
    to: S,
    *,
    now: datetime,
    by: Attendant | None,
    reason: TransferReason,
    **changes: Any,
) -> None:
    before = (atendimento.attendant, atendimento.responsible_team_id)

    def record(_source: str, _to: str) -> None:
        log_occurrence(
            atendimento, OccurrenceCategory.FORWARDED, now=now, actor=by, message=str(reason.label), reason=reason.value
        )

    move(atendimento, to, now=now, record=record, flow_step=None, flow_misses=0, **changes)
    record_transfer(atendimento, reason=reason, now=now, before=before, by=by)
