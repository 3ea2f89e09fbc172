"""Requests as shops and staff make, change and delete them; each change writes the ledger in its transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.accounts.selectors import is_assignable
from callcenter.lib.database import for_update
from callcenter.lib.errors import Conflict, InvalidInput, NotFound
from callcenter.lib.number_digests import number_digest
from callcenter.lib.phones import InvalidPhone, brazilian_e164
from requests_app.models import CallRequest, LedgerEntry
from requests_app.schedule import first_due_at
from requests_app.services.duplicates import open_duplicate
from requests_app.services.holds import hold_new
from requests_app.services.homes import forget_home, home_of
from requests_app.services.ledger import entry_of, record
from requests_app.services.number_checks import is_suspect
from requests_app.services.slots import slot_for
from requests_app.services.storing import store_new
from requests_app.states import OPEN, Hold, Priority, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from uuid import UUID

    from requests_app.data import Origin
    from requests_app.services.slots import Slot

# What a caller may set; everything else is the system's.
WRITABLE: Final = frozenset({
    "status", "requested_at", "name", "phone", "email", "time_from", "time_to", "notes", "cart_products",
    "order_number", "product_number", "responsible_id", "priority", "wanted_at", "completed_at",
})  # fmt: skip
# Those of them that may be without a value.
_NULLABLE: Final = frozenset({"notes", "cart_products", "responsible_id", "wanted_at", "completed_at"})
_TEXTS: Final = {"name": 250, "phone": 128, "email": 254, "time_from": 32, "time_to": 32, "notes": 100_000}
_NUMBERS: Final = ("order_number", "product_number")
_LARGEST: Final = 2**63 - 1
# A change of any of these moves the next call.
_SCHEDULING: Final = frozenset({"phone", "time_from", "time_to", "wanted_at", "status"})
# A change of any of these asks for another time.
_TIMES: Final = frozenset({"time_from", "time_to", "wanted_at"})
# A change of one of these, and the request need not wait any longer for what it waits for.
_ENDS_WAIT: Final = {Hold.RETRY_WAIT: {"phone", "status"}, Hold.POSTPONED: {"wanted_at", "status"}}


def create_call_request(
    company_id: int, *, origin: Origin, now: datetime, fields: Mapping[str, Any], may_be_repeated: bool = False
) -> CallRequest:
    """The stored request, with its next call worked out; or the open one that it repeats, within the company's window.

    Shape: `fields` maps names of `WRITABLE` to Python values; absent ones take the model's defaults. `may_be_repeated`:
    it comes from a program, so that the company's duplicate window holds.
    Errors: `InvalidInput` naming the field; nothing is stored.
    Effects: one ledger entry, and one request unless it is a repetition. The dialer finds it by itself.
    """
    values = _checked(fields, company_id=company_id)
    if not values.get("phone") and not values.get("email"):
        raise InvalidInput("phone", _("Informe o telefone ou o e-mail."))
    home = home_of(company_id)
    company = home.company
    values.setdefault("requested_at", now.replace(microsecond=0))
    call_request = CallRequest(company=company, source=origin.source, **values)
    _reschedule(call_request, now=now, changed=values.keys())
    if call_request.status == Status.COMPLETED and call_request.completed_at is None:
        call_request.completed_at = now
    told: dict[str, Any] = {
        "origin": origin,
        "at": now,
        "to_status": call_request.status,
        "reason": call_request.hold_reason,
        **_asked(call_request),
    }
    window = timedelta(minutes=company.duplicate_window_minutes if may_be_repeated else 0)
    if not window and not home.is_listened_to and not home.uses_slots:
        entry = entry_of(call_request, LedgerEntry.Kind.CREATED, **told)
        stored = store_new(call_request, entry, home=home, digest=_digest_of(call_request))
        if stored.is_suspect:
            hold_new(call_request, now=now)
        if stored.is_done:
            return call_request
        # The company is no longer what it was the last time.
        forget_home(company_id)
        return create_call_request(company_id, origin=origin, now=now, fields=fields, may_be_repeated=may_be_repeated)
    with transaction.atomic():
        repeated = open_duplicate(call_request, within=window, now=now) if window else None
        if repeated is not None:
            record(repeated, LedgerEntry.Kind.DUPLICATE, origin=origin, at=now)
            return repeated
        slot = _take_slot(call_request, now=now) if home.uses_slots else None
        call_request.save(force_insert=True)
        record(call_request, LedgerEntry.Kind.CREATED, **{**told, "reason": call_request.hold_reason})
        is_held = _hold_if_listed(call_request, now=now)
        if slot is not None and not is_held:
            record(call_request, LedgerEntry.Kind.SCHEDULED, origin=origin, at=now, **slot.told)
    return call_request


def _digest_of(call_request: CallRequest) -> UUID | None:
    return number_digest(call_request.phone_e164) if call_request.phone_e164 else None


def _hold_if_listed(call_request: CallRequest, *, now: datetime) -> bool:
    """Whether the stored request is held, because its number may not be called. One query of nearly all numbers."""
    digest = _digest_of(call_request)
    return digest is not None and is_suspect(digest) and hold_new(call_request, now=now)


def _asked(call_request: CallRequest) -> dict[str, Any]:
    """What of the request the ledger keeps as evidence of a call that was asked for."""
    asked: dict[str, Any] = {}
    if call_request.phone_e164:
        asked["number"] = number_digest(call_request.phone_e164).hex
    if call_request.wanted_at:
        asked["wanted_at"] = call_request.wanted_at.isoformat()
    asked.update({name: value for name in _NUMBERS if (value := getattr(call_request, name))})
    return asked


def change_call_request(
    request_id: int,
    *,
    scope: Iterable[int] | None,
    origin: Origin,
    now: datetime,
    fields: Mapping[str, Any],
) -> CallRequest:
    """The request after the change; the fields not given stay as they are.

    A status set here takes the request from the dialer (in_progress, completed, no_answer) or gives it back (new).

    Errors: `NotFound`, `InvalidInput`; nothing is changed then.
    Effects: one UPDATE of the changed columns, one ledger entry; none when nothing differs.
    """
    with transaction.atomic():
        call_request = _locked(request_id, scope=scope)
        values = _checked(fields, company_id=call_request.company_id)
        changed = {name for name, value in values.items() if getattr(call_request, name) != value}
        if not changed:
            return call_request
        before, slot = call_request.status, None
        for name in changed:
            setattr(call_request, name, values[name])
        columns = set(changed)
        if changed & _SCHEDULING and not call_request.in_flight:
            _reschedule(call_request, now=now, changed=changed)
            columns |= {"phone_e164", "due_at", "hold_reason", "postponed_until"}
            if changed & _TIMES and (slot := _take_slot(call_request, now=now)):
                columns.add("wanted_at")
        elif call_request.in_flight:
            columns |= _change_under_way(call_request, now=now, changed=changed)
        if "phone" in changed:
            call_request.phone_e164 = _dialable(call_request.phone)[0]
            columns.add("phone_e164")
        if "status" in changed and "completed_at" not in changed:
            call_request.completed_at = now if call_request.status == Status.COMPLETED else None
            columns.add("completed_at")
        call_request.updated_at = now
        call_request.save(update_fields=[*columns, "updated_at"])
        moved = before != call_request.status
        kind = LedgerEntry.Kind.STATUS if moved else LedgerEntry.Kind.EDITED
        record(
            call_request,
            LedgerEntry.Kind.ASSIGNED if changed == {"responsible_id"} else kind,
            origin=origin,
            at=now,
            from_status=before if moved else "",
            to_status=call_request.status if moved else "",
            fields=sorted(changed),
            **(_asked(call_request) if "phone" in changed else {}),
        )
        is_held = "phone" in changed and _hold_if_listed(call_request, now=now)
        if slot is not None and not is_held:
            record(call_request, LedgerEntry.Kind.SCHEDULED, origin=origin, at=now, **slot.told)
    return call_request


def _take_slot(call_request: CallRequest, *, now: datetime) -> Slot | None:
    """The quarter of an hour that the request's callback was given; None when it waits for none.

    Effects: the request is wanted, and due, at that instant; not stored yet. Call in the transaction that stores it.
    """
    if call_request.due_at is None or call_request.hold_reason not in {Hold.WANTED_TIME, Hold.CONTACT_WINDOW}:
        return None
    slot = slot_for(call_request, desired_at=call_request.due_at, now=now)
    if slot is None:
        return None
    if slot.given_at != call_request.due_at:
        call_request.hold_reason = Hold.WANTED_TIME
    call_request.wanted_at = call_request.due_at = call_request.booked_at = slot.given_at
    return slot


def _change_under_way(call_request: CallRequest, *, now: datetime, changed: AbstractSet[str]) -> set[str]:
    """The columns that a change moves besides its own while a call is in flight, or about to be."""
    if "status" in changed and call_request.status == Status.IN_PROGRESS:
        # Taken over while the phone rings, or is about to: the call may end, but no other follows.
        call_request.hold_reason = Hold.WITH_PERSON
        return {"hold_reason"}
    if "wanted_at" not in changed or call_request.hold_reason not in {Hold.IN_FLIGHT, Hold.POSTPONED}:
        return set()
    # Wanted later: what is not sent yet is not sent, and what was sent is followed by no call before then.
    later = call_request.wanted_at if call_request.wanted_at and call_request.wanted_at > now else None
    if later is not None and (slot := slot_for(call_request, desired_at=later, now=now)):
        call_request.wanted_at = call_request.booked_at = later = slot.given_at
    call_request.postponed_until = later
    call_request.hold_reason = Hold.POSTPONED if later else Hold.IN_FLIGHT
    return {"hold_reason", "postponed_until"}


def take_call_request(request_id: int, *, scope: Iterable[int] | None, origin: Origin, now: datetime) -> CallRequest:
    """The request, now the actor's own to work on: the dialer leaves it alone until it is told to dial again.

    A call that is in flight goes on, but no other follows.

    Errors: `NotFound`; `Conflict` when it is closed.
    """
    with transaction.atomic():
        call_request = _locked(request_id, scope=scope)
        if not call_request.is_open:
            raise Conflict(_("O pedido já está encerrado."))
        before = call_request.status
        call_request.status, call_request.responsible = Status.IN_PROGRESS, origin.actor
        call_request.due_at, call_request.hold_reason = None, Hold.WITH_PERSON
        call_request.updated_at = now
        call_request.save(update_fields=["status", "responsible", "due_at", "hold_reason", "updated_at"])
        moved = before != call_request.status
        record(
            call_request,
            LedgerEntry.Kind.ASSIGNED,
            origin=origin,
            at=now,
            from_status=before if moved else "",
            to_status=call_request.status if moved else "",
            reason=Hold.WITH_PERSON,
        )
    return call_request


def delete_call_request(request_id: int, *, scope: Iterable[int] | None, origin: Origin, now: datetime) -> None:
    """Nothing; the request is gone for good, its ledger and its call attempts stay.

    Errors: `NotFound`; `Conflict` while a call to the person is in flight.
    """
    with transaction.atomic():
        call_request = _locked(request_id, scope=scope)
        if call_request.in_flight:
            raise Conflict(_("Há uma chamada em curso para este pedido; tente de novo quando ela terminar."))
        record(call_request, LedgerEntry.Kind.DELETED, origin=origin, at=now, from_status=call_request.status)
        call_request.delete()


def dial_now(request_id: int, *, scope: Iterable[int] | None, origin: Origin, now: datetime) -> CallRequest:
    """The request, due at once whatever it was waiting for; a finished one is opened again.

    The line's opening hours and the customer's contact window still hold when it is claimed.

    Errors: `NotFound`; `Conflict` while a call is in flight or in doubt; `InvalidPhone` when it can't be dialed.
    """
    with transaction.atomic():
        call_request = _locked(request_id, scope=scope)
        if call_request.in_flight:
            raise Conflict(_("Já há uma chamada em curso ou em dúvida para este pedido."))
        call_request.phone_e164 = brazilian_e164(call_request.phone)
        before = call_request.status
        call_request.status = Status.IN_PROGRESS if call_request.attempts else Status.NEW
        call_request.due_at, call_request.hold_reason, call_request.postponed_until = now, Hold.NONE, None
        call_request.completed_at, call_request.updated_at = None, now
        columns = ["phone_e164", "status", "due_at", "hold_reason", "postponed_until", "completed_at", "updated_at"]
        call_request.save(update_fields=columns)
        moved = before != call_request.status
        record(
            call_request,
            LedgerEntry.Kind.SCHEDULED,
            origin=origin,
            at=now,
            from_status=before if moved else "",
            to_status=call_request.status if moved else "",
            reason="dial_now",
        )
    return call_request


def _locked(request_id: int, *, scope: Iterable[int] | None) -> CallRequest:
    visible = CallRequest.objects.visible_to(scope).filter(pk=request_id)
    found: CallRequest | None = for_update(visible).select_related("company").first()
    if found is None:
        raise NotFound(_("Não existe um pedido com este número."))
    return found


def _dialable(phone: str) -> tuple[str, str]:
    """The E.164 form and no reason, or no form and the reason."""
    try:
        return brazilian_e164(phone), ""
    except InvalidPhone as error:
        return "", error.reason


def _reschedule(call_request: CallRequest, *, now: datetime, changed: AbstractSet[str]) -> None:
    """Work out `phone_e164`, `due_at` and `hold_reason` from what the request says after a change."""
    held, was_due_at = call_request.hold_reason, call_request.due_at
    call_request.phone_e164, refusal = _dialable(call_request.phone)
    call_request.due_at = None
    if call_request.status not in OPEN:
        call_request.hold_reason = Hold.FINISHED
    elif call_request.status == Status.IN_PROGRESS and "status" in changed:
        # Whoever sets "in progress" works on it themselves.
        call_request.hold_reason = Hold.WITH_PERSON
    elif held in {Hold.WITH_PERSON, Hold.AWAITING_DISPOSITION} and "status" not in changed:
        call_request.hold_reason = held
    elif refusal:
        call_request.hold_reason = refusal
    else:
        # A new window moves the next try, but does not bring it forward; another number need not wait.
        waits = not changed & _ENDS_WAIT.get(Hold(held), _SCHEDULING)
        if changed & {"wanted_at", "status"}:
            call_request.postponed_until = None
        earliest = max(now, was_due_at) if waits and was_due_at else now
        call_request.due_at, call_request.hold_reason = first_due_at(
            now=earliest,
            wanted_at=call_request.wanted_at,
            time_from=call_request.time_from,
            time_to=call_request.time_to,
            zone=call_request.company.zone,
        )
        if waits and call_request.hold_reason == Hold.NONE and earliest > now:
            call_request.hold_reason = held


def _checked(fields: Mapping[str, Any], *, company_id: int) -> dict[str, Any]:
    """The values fit to be stored.

    Errors: `InvalidInput` naming the first field that is not.
    """
    values = dict(fields)
    _check_names(values)
    for name, longest in _TEXTS.items():
        _check_text(name, values.get(name), longest=longest)
    for name in _NUMBERS:
        if name in values and not 0 <= values[name] <= _LARGEST:
            raise InvalidInput(name, _("O número está fora da faixa permitida."))
    if "status" in values and values["status"] not in Status.values:
        raise InvalidInput("status", _("Use um destes: %(allowed)s.") % {"allowed": ", ".join(Status.values)})
    if "priority" in values and values["priority"] not in Priority.values:
        raise InvalidInput("priority", _("Prioridade desconhecida."))
    if values.get("email"):
        try:
            validate_email(values["email"])
        except ValidationError as error:
            raise InvalidInput("email", _("Não é um endereço de e-mail.")) from error
    responsible_id = values.get("responsible_id")
    if responsible_id is not None and not is_assignable(responsible_id, company_id=company_id):
        raise InvalidInput("responsible_id", _("Não existe um atendente desta empresa com este número."))
    return values


def _check_names(values: Mapping[str, Any]) -> None:
    unknown = values.keys() - WRITABLE
    if unknown:
        raise InvalidInput(min(unknown), _("Este campo não pode ser alterado."))
    for name, value in values.items():
        if value is None and name not in _NULLABLE:
            raise InvalidInput(name, _("Este campo não pode ficar sem valor."))


def _check_text(name: str, text: str | None, *, longest: int) -> None:
    if text is None:
        return
    if len(text) > longest:
        raise InvalidInput(name, _("No máximo %(longest)s caracteres.") % {"longest": longest})
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidInput(name, _("O texto contém um caractere que não pode ser guardado."))
