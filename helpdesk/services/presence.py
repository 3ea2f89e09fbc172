"""Whether a person is there for conversations: on-line, in a pause with its reason, or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.database import for_update
from callcenter.lib.errors import InvalidInput
from helpdesk.models import Attendant, AttendantPause
from helpdesk.states import Presence

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import User

LONGEST_REASON: Final = 80
# The switch at the top of the panel speaks of telephone calls; to it belongs a presence for conversations.
_OF_USER: Final = {"available": Presence.ONLINE, "paused": Presence.PAUSED, "offline": Presence.OFFLINE}


def change_presence(attendant: Attendant, *, presence: str, now: datetime, reason: str = "") -> bool:
    """Whether this call changed the person's presence. A pause begins with its reason and ends with the next change.

    Errors: `InvalidInput` for an automation, an unknown presence, or a pause without a reason.
    Effects: one UPDATE; a pause is opened or closed. What the person holds stays with them.
    """
    if not attendant.is_human:
        raise InvalidInput("presence", _("Só uma pessoa tem presença."))
    if presence not in Presence.values:
        raise InvalidInput("presence", _("Presença desconhecida."))
    reason = reason.strip()[:LONGEST_REASON]
    if presence == Presence.PAUSED and not reason:
        raise InvalidInput("reason", _("Diga o motivo da pausa."))
    with transaction.atomic():
        locked = for_update(Attendant.objects.filter(pk=attendant.pk)).get()
        open_pause = AttendantPause.objects.filter(attendant=locked, ended_at=None).first()
        if locked.presence == presence and (open_pause.reason if open_pause else "") == reason:
            return False
        AttendantPause.objects.filter(attendant=locked, ended_at=None).update(ended_at=now)
        if presence == Presence.PAUSED:
            AttendantPause.objects.create(attendant=locked, reason=reason, started_at=now)
        Attendant.objects.filter(pk=locked.pk).update(presence=presence, presence_changed_at=now, updated_at=now)
    attendant.presence, attendant.presence_changed_at = presence, now
    return True


def follow_user(user: User, *, presence: str, now: datetime) -> int:
    """How many of the person's attendants changed with the switch at the top of the panel."""
    wanted = _OF_USER.get(presence)
    if wanted is None:
        return 0
    reason = _("Pausa") if wanted == Presence.PAUSED else ""
    mine = Attendant.objects.filter(user=user, is_active=True)
    return sum(change_presence(one, presence=wanted, now=now, reason=reason) for one in mine)
