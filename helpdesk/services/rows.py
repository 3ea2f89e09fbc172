"""Locking an atendimento and changing its columns; the other services stand on these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from callcenter.lib.database import for_update
from callcenter.lib.errors import Conflict, InvalidInput, NotFound
from callcenter.lib.states import transition
from helpdesk.models import Atendimento, Attendant, Contact, Team, Transfer
from helpdesk.states import MOVES, S

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from helpdesk.states import TransferReason


def locked_atendimento(key: uuid.UUID, *, scope: Iterable[int] | None) -> Atendimento:
    """The atendimento with this id or hash, locked to the end of the transaction, with its holder.

    Errors: `NotFound`, also for a foreign company's and a deleted one.
    """
    rows = Atendimento.objects.living().visible_to(scope).known_as(key).select_related("attendant", "channel")
    found: Atendimento | None = for_update(rows).first()
    if found is None:
        raise NotFound(_("Não existe este atendimento."))
    return found


def locked_with_contact(key: uuid.UUID, *, scope: Iterable[int] | None, also: Contact | None = None) -> Atendimento:
    """The same, its contact locked before it; `also` = another contact that the caller is about to change.

    For whoever touches both: a message that comes in locks the contact first, and two who lock in different orders
    would wait for each other.
    Errors: `NotFound`; `Conflict` when it was given to another contact at this moment.
    """
    rows = Atendimento.objects.living().visible_to(scope).known_as(key)
    contact_id = rows.values_list("contact_id", flat=True).first()
    ids = {one for one in (contact_id, also.pk if also is not None else None) if one is not None}
    if ids:
        list(for_update(Contact.objects.filter(pk__in=ids).order_by("pk")).values_list("pk"))
    atendimento = locked_atendimento(key, scope=scope)
    if atendimento.contact_id != contact_id:
        raise Conflict(_("Outra pessoa alterou o atendimento ao mesmo tempo."))
    return atendimento


def attendant_of(key: uuid.UUID, *, company_id: int) -> Attendant:
    """The company's active attendant with this id or hash.

    Errors: `NotFound`.
    """
    found: Attendant | None = Attendant.objects.filter(company_id=company_id, is_active=True).known_as(key).first()
    if found is None:
        raise NotFound(_("Não existe um atendente ativo com este identificador."))
    return found


def team_of(key: uuid.UUID, *, company_id: int) -> Team | None:
    """The company's active team with this id or hash; None when there is none."""
    found: Team | None = Team.objects.filter(company_id=company_id, is_active=True).known_as(key).first()
    return found


def person_of(attendant: Attendant, *, company_id: int) -> Attendant:
    """The attendant, who is an active person of the company.

    Errors: `InvalidInput`.
    """
    if attendant.company_id != company_id or not attendant.is_active:
        raise InvalidInput("Atendente", _("O atendente não é desta empresa ou não está ativo."))
    if not attendant.is_human:
        raise InvalidInput("Atendente", _("O atendente precisa ser uma pessoa."))
    return attendant


def refuse_closed(atendimento: Atendimento) -> None:
    """Nothing, while the atendimento is open.

    Errors: `Conflict`.
    """
    if not atendimento.is_open:
        raise Conflict(_("O atendimento já foi concluído."))


def change(atendimento: Atendimento, *, now: datetime, **changes: Any) -> None:
    """Write these columns of a locked atendimento; what may move it goes through `move`."""
    changes["updated_at"] = now
    Atendimento.objects.filter(pk=atendimento.pk).update(**changes)
    for name, value in changes.items():
        setattr(atendimento, name, value)


def move(
    atendimento: Atendimento,
    to: S,
    *,
    now: datetime,
    record: Callable[[str, str], None],
    moves: Mapping[str, frozenset[str]] = MOVES,
    **changes: Any,
) -> None:
    """Move the atendimento from the state and the holder that it was read with.

    Errors: `InvalidMove` when the table forbids it; `Conflict` when somebody was quicker.
    Effects: one UPDATE, and what `record(from, to)` writes, in one transaction.
    """
    if to not in {S.IN_SERVICE, S.CLOSED}:
        changes["is_started"] = False
    was_moved = transition(
        atendimento,
        to,
        moves=moves,
        expected=[atendimento.state],
        record=record,
        guard={"attendant_id": atendimento.attendant_id},
        updated_at=now,
        **changes,
    )
    if not was_moved:
        raise Conflict(_("Outra pessoa alterou o atendimento ao mesmo tempo."))


def record_transfer(
    atendimento: Atendimento,
    *,
    reason: TransferReason,
    now: datetime,
    before: tuple[Attendant | None, uuid.UUID | None],
    by: Attendant | None = None,
) -> Transfer:
    """The entry that says from whom to whom the atendimento passed; `before` = its holder and team until now."""
    holder, team_id = before
    return Transfer.objects.create(
        atendimento=atendimento,
        at=now,
        reason=reason,
        from_attendant=holder,
        from_team_id=team_id,
        to_attendant_id=atendimento.attendant_id,
        to_team_id=atendimento.responsible_team_id,
        by=by,
    )
