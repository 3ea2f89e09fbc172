"""Writing an atendimento column by column, as the API's generic Salvar and the admin's form do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, InvalidInput
from helpdesk.data import Done
from helpdesk.models import Atendimento, Contact, Message
from helpdesk.services.closing import close_locked, reopen, state_for
from helpdesk.services.numbering import next_atendimento_numbers
from helpdesk.services.occurrences import ALL_WORK, log_occurrence, settle_work
from helpdesk.services.opening import note_received
from helpdesk.services.rows import change, move, record_transfer
from helpdesk.states import ClosedWith, OccurrenceCategory, OccurrenceStatus, Platform, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from helpdesk.models import Attendant

# Columns that are simply written; those below have consequences.
PLAIN: Final = frozenset({
    "access_granted", "category", "started_at", "is_notifiable", "notes", "platform", "is_private", "contact", "title",
    "responsible_attendant", "responsible_team", "created_by", "updated_by",
})  # fmt: skip
WITH_CONSEQUENCES: Final = frozenset({"attendant", "is_started", "is_closed", "closed_at"})


@dataclass(frozen=True)
class _Aim:
    """Where the values want the atendimento to be."""

    attendant: Attendant | None
    is_started: bool
    is_closed: bool
    started_at: datetime | None
    closed_at: datetime | None

    @property
    def open_state(self) -> S:
        """The state while it is open.

        Errors: `InvalidInput` for one that is started and that no person holds.
        """
        state = state_for(self.attendant, is_started=self.is_started)
        if self.is_started and state != S.IN_SERVICE:
            raise InvalidInput("Iniciado", _("Só um atendimento com uma pessoa pode estar iniciado."))
        return state


def create_atendimento(
    company_id: int, *, values: Mapping[str, Any], by: Attendant, now: datetime, chosen_hash: uuid.UUID | None = None
) -> Done:
    """A new atendimento with these columns, and no message.

    Shape: `values` maps names of `PLAIN` and `WITH_CONSEQUENCES` to Python values.
    Errors: `InvalidInput`; nothing is stored.
    """
    aim = _aim(Atendimento(), values)
    state = aim.open_state
    plain = {name: value for name, value in values.items() if name in PLAIN}
    with transaction.atomic():
        if aim.attendant is not None and aim.attendant.is_human and not aim.is_closed:
            note_received(aim.attendant, now=now)
        number, company_number = next_atendimento_numbers(company_id)
        atendimento = Atendimento(
            company_id=company_id,
            number=number,
            company_number=company_number,
            state=state,
            attendant=aim.attendant,
            given_at=now if state in {S.ASSIGNED, S.IN_SERVICE} else None,
            created_at=now,
            updated_at=now,
            **{
                "platform": Platform.OTHER,
                "created_by": by,
                "updated_by": by,
                **plain,
                "is_started": aim.is_started,
                "started_at": aim.started_at or (now if aim.is_started else None),
                "closed_at": aim.closed_at,
            },
        )
        if chosen_hash is not None:
            atendimento.hash = chosen_hash
        atendimento.save(force_insert=True)
        _count(atendimento.contact, 1)
        log_occurrence(atendimento, OccurrenceCategory.NEW, now=now, actor=by)
        if aim.is_closed:
            close_locked(atendimento, now=now, with_=ClosedWith.API, by=by, closed_at=aim.closed_at)
    return Done(atendimento)


def save_atendimento(atendimento: Atendimento, *, values: Mapping[str, Any], by: Attendant, now: datetime) -> Done:
    """The atendimento with these columns; those that are not given stay. The caller has locked it, and its contact.

    Shape: as `create_atendimento`.
    Errors: `InvalidInput`; `Conflict` when it can't be opened again.
    Effects: a change of the holder is a transfer; closing and opening again do what they do elsewhere.
    """
    aim = _aim(atendimento, values)
    with transaction.atomic():
        plain = {"updated_by": by, **{name: value for name, value in values.items() if name in PLAIN}}
        if "contact" in plain and plain["contact"] != atendimento.contact:
            _give_to(plain["contact"], atendimento, is_open=not aim.is_closed)
        change(atendimento, now=now, **plain)
        if aim.is_closed:
            _keep_closed(atendimento, aim, by=by, now=now)
        else:
            _keep_open(atendimento, aim, by=by, now=now)
            if "closed_at" in values:
                change(atendimento, now=now, closed_at=values["closed_at"])
    return Done(atendimento)


def _aim(atendimento: Atendimento, values: Mapping[str, Any]) -> _Aim:
    attendant = values.get("attendant", atendimento.attendant)
    was_started = atendimento.is_started and attendant is not None and attendant.is_human
    is_closed = values.get("is_closed", atendimento.state == S.CLOSED)
    started_at = values.get("started_at", atendimento.started_at)
    closed_at = values.get("closed_at", atendimento.closed_at)
    if started_at is not None and closed_at is not None and closed_at < started_at:
        raise InvalidInput("TerminoAtendimento", _("O término é anterior ao início."))
    return _Aim(
        attendant=attendant,
        is_started=bool(values.get("is_started", was_started)),
        is_closed=bool(is_closed),
        started_at=started_at,
        closed_at=closed_at,
    )


def _keep_closed(atendimento: Atendimento, aim: _Aim, *, by: Attendant, now: datetime) -> None:
    columns: dict[str, Any] = {"attendant": aim.attendant, "is_started": aim.is_started, "started_at": aim.started_at}
    if atendimento.state != S.CLOSED:
        close_locked(atendimento, now=now, with_=ClosedWith.API, by=by, closed_at=aim.closed_at)
    elif aim.closed_at is not None:
        columns["closed_at"] = aim.closed_at
    change(atendimento, now=now, **columns)


def _keep_open(atendimento: Atendimento, aim: _Aim, *, by: Attendant, now: datetime) -> None:
    state = aim.open_state
    before = (atendimento.attendant, atendimento.responsible_team_id)
    if atendimento.state == S.CLOSED:
        change(atendimento, now=now, attendant=aim.attendant)
        reopen(atendimento, now=now, is_started=aim.is_started, by=by)
    elif (atendimento.state, atendimento.attendant_id) != (state, aim.attendant.pk if aim.attendant else None):

        def record(_source: str, _to: str) -> None:
            settle_work(atendimento, ALL_WORK, status=OccurrenceStatus.SKIPPED, now=now)

        started: dict[str, Any] = {"is_started": True} if state == S.IN_SERVICE else {}
        is_held = state in {S.ASSIGNED, S.IN_SERVICE}
        move(
            atendimento, state, now=now, record=record, attendant=aim.attendant, given_at=now if is_held else None,
            flow_step=None, **started,
        )  # fmt: skip
    if atendimento.attendant != before[0]:
        record_transfer(atendimento, reason=TransferReason.SAVED, now=now, before=before, by=by)
    started_at = aim.started_at or (now if state == S.IN_SERVICE else None)
    if started_at != atendimento.started_at:
        change(atendimento, now=now, started_at=started_at)


def _give_to(contact: Contact | None, atendimento: Atendimento, *, is_open: bool) -> None:
    """The conversation and what was said in it are another contact's from now on.

    Errors: `Conflict` when they have an open one on the channel already.
    """
    others = Atendimento.objects.open().filter(contact=contact, channel_id=atendimento.channel_id)
    if is_open and contact is not None and atendimento.channel_id is not None and others.exists():
        raise Conflict(_("O solicitante tem outro atendimento aberto neste canal."))
    _count(atendimento.contact, -1)
    _count(contact, 1)
    Message.objects.filter(atendimento=atendimento).update(contact=contact)


def _count(contact: Contact | None, by: int) -> None:
    if contact is not None:
        Contact.objects.filter(pk=contact.pk).update(atendimento_count=F("atendimento_count") + by)
