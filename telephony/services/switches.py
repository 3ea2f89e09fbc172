"""The kill switches: one for all lines, and each line's own. A switch that is off holds before the next call leaves.

An intent to dial is committed while sharing a lock that turning a switch off takes alone. So when `stop_…` returns, no
later intent is committed; a call whose intent was committed before leaves within `dialing.STALE_AFTER_SECONDS`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.database import for_update, known_row, serialize, sharing
from callcenter.lib.errors import Conflict
from callcenter.lib.questions import Question
from telephony.models import DialerLine, DialerSwitch, SwitchEntry
from telephony.states import SwitchReason

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import User

log = logging.getLogger(__name__)

_LOCK: Final = "dialer-switch"
_ROW: Final = 1


def dialer_switch() -> DialerSwitch:
    """The switch for all lines as it is stored; on, in an installation that has never touched it."""
    return DialerSwitch.objects.get_or_create(pk=_ROW)[0]


def dialer_is_on() -> bool:
    """Whether the switch for all lines lets them dial. One query."""
    return not DialerSwitch.objects.filter(pk=_ROW, is_on=False).exists()


def holding_open() -> tuple[Question[None], Question[DialerSwitch]]:
    """To be asked in this order: that nobody turns a switch before the transaction ends; and the switch for all lines.

    By hand, because it is asked before every call. Known of the switch is what an intent asks; the rest is read late.
    """
    return (
        Question(*sharing(_LOCK), lambda _rows: None),
        Question("SELECT id, is_on, installation, mark FROM telephony_dialerswitch WHERE id = %s", [_ROW], _switch_in),
    )


def _switch_in(rows: list[dict[str, Any]]) -> DialerSwitch:
    if not rows:
        return dialer_switch()
    return known_row(DialerSwitch, **{**rows[0], "installation": UUID(str(rows[0]["installation"]))})


def turn_dialer(
    *, on: bool, now: datetime, actor: User | None, note: str = "", reason: SwitchReason = SwitchReason.PERSON
) -> DialerSwitch:
    """The switch for all lines as it stands now, turned; who did it, when and why are kept.

    Errors: `Conflict` when it stood so already.
    """
    with transaction.atomic():
        switch = turning()
        if switch.is_on is on:
            raise Conflict(_("O discador já estava ligado.") if on else _("O discador já estava desligado."))
        _turn(switch, on=on, now=now, actor=actor, note=note, reason=reason)
    return switch


def turning() -> DialerSwitch:
    """The switch, locked for whoever is about to turn it; every intent that was being committed is committed."""
    serialize(_LOCK)
    dialer_switch()
    return for_update(DialerSwitch.objects.filter(pk=_ROW)).get()


def stop_for(switch: DialerSwitch, reason: SwitchReason, *, now: datetime) -> None:
    """Nothing; the system turned the switch, which `turning` gave, off, or says anew why it is off."""
    _turn(switch, on=False, now=now, actor=None, note="", reason=reason)


def turn_line(line_id: int, *, on: bool, now: datetime, actor: User | None, note: str = "") -> None:
    """Nothing; the line is on or off, and who did it, when and why are kept.

    Errors: `Conflict` when it stood so already.
    """
    with transaction.atomic():
        serialize(_LOCK)
        if not DialerLine.objects.filter(pk=line_id, is_enabled=not on).update(is_enabled=on):
            raise Conflict(_("A linha já estava ligada.") if on else _("A linha já estava desligada."))
        note_line_turned(line_id, on=on, now=now, actor=actor, note=note)


def note_line_turned(line_id: int, *, on: bool, now: datetime, actor: User | None, note: str = "") -> None:
    """Nothing; that the line was switched, by another door than `turn_line`, is kept."""
    SwitchEntry.objects.create(
        at=now, line_id=line_id, is_on=on, reason=SwitchReason.PERSON, note=note[:200], actor=actor
    )
    log.warning("line %s: switched %s", line_id, "on" if on else "off")


def _turn(
    switch: DialerSwitch, *, on: bool, now: datetime, actor: User | None, note: str, reason: SwitchReason
) -> None:
    switch.is_on, switch.changed_at, switch.changed_by = on, now, actor
    switch.note, switch.reason = note[:200], reason
    columns = ["is_on", "changed_at", "changed_by", "note", "reason"]
    if on:
        switch.lost_from = switch.lost_until = None
        columns += ["lost_from", "lost_until"]
    switch.save(update_fields=columns)
    SwitchEntry.objects.create(at=now, line=None, is_on=on, reason=reason, note=note[:200], actor=actor)
    log.warning("dialer: switched %s (%s)", "on" if on else "off", reason)
