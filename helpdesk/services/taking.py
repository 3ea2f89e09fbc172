"""Taking a conversation from the queue or from an automation, and starting to serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from helpdesk.data import Done
from helpdesk.services.occurrences import log_occurrence, settle_work
from helpdesk.services.opening import note_received
from helpdesk.services.rows import locked_atendimento, move, person_of, record_transfer, refuse_closed
from helpdesk.states import HELD, OccurrenceCategory, OccurrenceStatus, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Atendimento, Attendant


def take(
    key: uuid.UUID,
    attendant: Attendant,
    *,
    scope: Iterable[int] | None,
    now: datetime,
    reason: TransferReason = TransferReason.TAKEN,
    by: Attendant | None = None,
) -> Done:
    """The atendimento, held by the person unless another person was first or it is closed; never started by this.

    Of two who take at once one wins, and both get the true holder. An automation that led it stops.
    `reason`, `by` = whose decision it was, where the person did not ask for it.
    Errors: `NotFound`; `InvalidInput` for an automation or a stranger.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        person_of(attendant, company_id=atendimento.company_id)
        if not atendimento.is_open or atendimento.state in HELD:
            return Done(atendimento, has_changed=False)
        was_automatic = atendimento.state == S.AUTOMATIC
        before = (atendimento.attendant, atendimento.responsible_team_id)

        def record(_source: str, _to: str) -> None:
            _settle(atendimento, now=now)

        move(
            atendimento,
            S.ASSIGNED,
            now=now,
            record=record,
            attendant=attendant,
            responsible_attendant=attendant,
            responsible_team=None,
            needs_human=atendimento.needs_human or was_automatic,
            given_at=now,
            flow_step=None,
        )
        decided_by = attendant if reason == TransferReason.TAKEN else by
        record_transfer(atendimento, reason=reason, now=now, before=before, by=decided_by)
        note_received(attendant, now=now)
    return Done(atendimento)


def start(key: uuid.UUID, attendant: Attendant, *, scope: Iterable[int] | None, now: datetime) -> Done:
    """The atendimento, served by the person unless another person holds it.

    The first start sets the clock; a transfer does not set it back.
    Errors: `NotFound`; `InvalidInput` for an automation or a stranger; `Conflict` when it is closed.
    Safe to repeat by the same person.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        person_of(attendant, company_id=atendimento.company_id)
        refuse_closed(atendimento)
        is_theirs = atendimento.attendant_id == attendant.pk
        if atendimento.state == S.IN_SERVICE or (atendimento.state in HELD and not is_theirs):
            return Done(atendimento, has_changed=False)
        was_automatic = atendimento.state == S.AUTOMATIC
        before = (atendimento.attendant, atendimento.responsible_team_id)

        def record(_source: str, _to: str) -> None:
            _settle(atendimento, now=now)
            log_occurrence(atendimento, OccurrenceCategory.STARTED, now=now, actor=attendant)

        move(
            atendimento,
            S.IN_SERVICE,
            now=now,
            record=record,
            is_started=True,
            started_at=atendimento.started_at or now,
            attendant=attendant,
            # Whoever else answers for it goes on doing so, unless it was a team or an automation.
            responsible_attendant=_person_responsible(atendimento) or attendant,
            responsible_team=None,
            needs_human=atendimento.needs_human or was_automatic,
            given_at=atendimento.given_at if is_theirs else now,
            flow_step=None,
        )
        if not is_theirs:
            record_transfer(atendimento, reason=TransferReason.TAKEN, now=now, before=before, by=attendant)
            note_received(attendant, now=now)
    return Done(atendimento)


def _person_responsible(atendimento: Atendimento) -> Attendant | None:
    responsible = atendimento.responsible_attendant
    return responsible if responsible is not None and responsible.is_human else None


def _settle(atendimento: Atendimento, *, now: datetime) -> None:
    settle_work(atendimento, [OccurrenceCategory.NO_ATTENDANT], status=OccurrenceStatus.DONE, now=now)
    settle_work(atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.SKIPPED, now=now)
