"""Which open request a new one repeats: of the same person, at the same company, within the company's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from callcenter.lib.database import serialize
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import OPEN

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def open_duplicate(new: CallRequest, *, within: timedelta, now: datetime) -> CallRequest | None:
    """The latest open request that came within the window for the same number; None when there is none.

    The number decides; a text that is no number to dial is compared as typed, and without any phone the e-mail address.
    When it came is read from the ledger: a shop may write any date into its request.

    Effects: until the transaction ends, others who ask for the same number of the company wait.
    """
    contact = new.phone_e164 or new.phone or new.email.lower()
    serialize(f"duplicate:{new.company_id}:{contact}")
    arrived = LedgerEntry.objects.filter(
        call_request=OuterRef("pk"), kind=LedgerEntry.Kind.CREATED, at__gt=now - within
    )
    same = CallRequest.objects.filter(_same_person(new), Exists(arrived), company=new.company_id, status__in=OPEN)
    return same.select_related("company").order_by("-pk").first()


def _same_person(new: CallRequest) -> Q:
    if new.phone_e164:
        return Q(phone_e164=new.phone_e164)
    if new.phone:
        return Q(phone_e164="", phone=new.phone)
    return Q(phone="", email__iexact=new.email)
