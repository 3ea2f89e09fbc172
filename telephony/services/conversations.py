"""Calls and conversations tied together: an answered call has its atendimento, an atendimento may ask for a call."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from callcenter.accounts.models import User
from callcenter.lib.display import absolute
from callcenter.lib.errors import InvalidInput
from helpdesk.data import Callback, ContactEntry
from helpdesk.selectors.thread import of_number
from helpdesk.services.phone_calls import note_call, number_of, numbers_of, open_for_call, tie_to_request
from helpdesk.services.talks import forget_talks, mark_told, untold_talks
from requests_app.data import Origin, TimelineEntry
from requests_app.selectors import requests_of_numbers
from requests_app.services import calls
from requests_app.services.intake import create_call_request
from requests_app.states import Reach, Source

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.data import Talk
    from helpdesk.models import Atendimento, Contact
    from requests_app.models import CallRequest
    from telephony.models import CallAttempt

log = logging.getLogger(__name__)


def open_for_answered(attempt: CallAttempt, *, now: datetime) -> Atendimento | None:
    """The conversation of the answered call; None where the company leads none by telephone, or its request is gone.

    Errors: a refusal of the helpdesk.
    """
    call_request = attempt.call_request
    if call_request is None or not attempt.phone_e164:
        return None
    note = _("Ligação atendida: pedido #%(id)s de %(at)s, %(tries)sª tentativa.") % {
        "id": call_request.pk,
        "at": absolute(call_request.requested_at),
        "tries": attempt.number,
    }
    if call_request.notes:
        note = f"{note}\n{call_request.notes[:2000]}"
    return open_for_call(
        attempt.company_id,
        phone_e164=attempt.phone_e164,
        name=call_request.name,
        call_request_id=call_request.pk,
        since=attempt.claimed_at,
        note=note.replace("\0", ""),
        now=now,
        user_id=call_request.responsible_id,
    )


def tell_reached(*, now: datetime) -> int:
    """How many waiting requests were closed or put off because their customers were talked to in a conversation.

    As each company's policy wants it. Safe to repeat, and for several to run at once: what is told is marked.
    """
    minding = calls.companies_that_mind_reach()
    forget_talks(but=minding)
    return sum(_tell(talk, now=now) for talk in untold_talks(minding)) if minding else 0


def _tell(talk: Talk, *, now: datetime) -> int:
    """How many requests the talk settled; the conversation has a note of them."""
    try:
        with transaction.atomic():
            actor = None if talk.user_id is None else User.objects.filter(pk=talk.user_id).first()
            settled = [
                request_id
                for number in sorted(talk.numbers)
                for request_id in calls.reached_elsewhere(
                    talk.company_id,
                    number,
                    how=Reach.ATENDIMENTO,
                    now=now,
                    actor=actor,
                    asked_before=talk.since,
                )
            ]
            if settled:
                numbers = ", ".join(f"#{request_id}" for request_id in settled)
                text = _("O cliente foi atendido aqui: pedido de ligação concluído ou adiado (%(which)s).")
                note_call(talk.atendimento_id, text=text % {"which": numbers}, now=now)
            mark_told(talk.atendimento_id, told_at=talk.told_at)
    except Exception:
        log.exception(
            "atendimento %s: its requests could not be settled; the next round tries again", talk.atendimento_id
        )
        return 0
    return len(settled)


def ask_for_callback(atendimento: Atendimento, user: User, now: datetime, wanted_at: datetime | None) -> Callback:
    """The call request that a person makes from a conversation; its ledger says who asked, and through which door.

    Errors: `InvalidInput` for a requester without a number, and whatever the intake refuses.
    """
    phone = number_of(atendimento)
    if not phone:
        raise InvalidInput("phone", _("O solicitante não tem número de telefone."))
    fields = {
        "name": str(atendimento.contact or "")[:250],
        "phone": phone,
        "notes": _("Pedido no atendimento %(protocol)s.") % {"protocol": atendimento.protocol},
        **({"wanted_at": wanted_at} if wanted_at is not None else {}),
    }
    with transaction.atomic():
        made = create_call_request(
            atendimento.company_id, origin=Origin(source=Source.HELPDESK, actor=user), now=now, fields=fields
        )
        tie_to_request(atendimento.pk, call_request_id=made.pk, now=now)
    text = _("Ligação pedida: #%(id)s.") % {"id": made.pk}
    if wanted_at is not None:
        text = _("Ligação pedida para %(at)s: #%(id)s.") % {"at": absolute(wanted_at), "id": made.pk}
    return Callback(text, reverse("admin:requests_app_callrequest_change", args=[made.pk]))


def request_entries(contact: Contact) -> list[ContactEntry]:
    """The call requests of a contact's numbers, as lines of their timeline. Two queries."""
    return [
        ContactEntry(
            at=one.requested_at,
            kind="request",
            title=_("Pedido de ligação #%(id)s") % {"id": one.pk},
            details=(
                (_("status"), str(one.get_status_display())),
                (_("tentativas"), str(one.attempts)),
                (_("último resultado"), str(one.get_last_outcome_display() or "")),
            ),
            url=reverse("admin:requests_app_callrequest_change", args=[one.pk]),
        )
        for one in requests_of_numbers(contact.company_id, numbers_of(contact))
    ]


def conversation_entries(call_request: CallRequest) -> list[TimelineEntry]:
    """The conversations with a request's customer, as lines of its timeline. One query."""
    found = of_number(call_request.company_id, call_request.phone_e164, call_request_id=call_request.pk)
    return [
        TimelineEntry(
            at=one.created_at,
            kind="conversation",
            title=_("Atendimento %(protocol)s") % {"protocol": one.protocol},
            details=(
                (_("situação"), str(one.get_state_display())),
                (_("canal"), str(one.channel or one.get_platform_display())),
                (_("atendente"), str(one.attendant or "")),
            ),
            url=reverse("admin:helpdesk_atendimento_change", args=[one.pk]),
        )
        for one in found
    ]
