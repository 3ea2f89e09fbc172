"""Dialer lines: what their client needs, and switching them off and on again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from telephony.models import DialerLine
from telephony.providers.digitro.wire import LineAccess
from telephony.selectors import channel_in_use, channel_number

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)


def access_of(line: DialerLine) -> LineAccess:
    """The line's address and credentials, decrypted, and its channel as it was read, for a `DigitroClient`.

    Whether that channel is still open is asked for when the intent is committed.
    """
    return LineAccess(
        base_url=line.base_url,
        api_key=line.api_key,
        channel_id=channel_number(line),
        device=line.device,
        device_password=line.device_password,
        route=line.route,
        account=line.account,
        account_password=line.account_password,
        originator=line.originator,
        predictive_mode=line.predictive_mode,
        cpd=line.cpd,
        cpd_destination_type=line.cpd_destination_type,
        reanswer_seconds=line.reanswer_seconds,
        telemarketing_block=line.telemarketing_block,
        dial_prefix=line.dial_prefix,
    )


def was_channel_lost(line: DialerLine, *, now: datetime) -> bool:
    """Whether the channel that was read with this line has gone, or got another number, since. One query."""
    fresh = DialerLine.objects.defer(*DialerLine.SECRET_FIELDS).select_related("event_channel").get(pk=line.pk)
    return fresh.channel_id is None and channel_in_use(fresh, now=now) != channel_number(line)


def suspend_line(line_id: int, *, reason: str, now: datetime) -> bool:
    """Whether this call stopped the line; it dials nothing until a person resumes it."""
    stopped = DialerLine.objects.filter(pk=line_id, suspended_reason="").update(
        suspended_reason=reason, suspended_at=now
    )
    if stopped:
        log.error("line %s: suspended (%s); resume it in the admin when it is mended", line_id, reason)
    return bool(stopped)


def resume_line(line_id: int) -> bool:
    """Whether this call let a suspended line dial again. Safe to repeat."""
    return bool(
        DialerLine.objects.filter(pk=line_id)
        .exclude(suspended_reason="")
        .update(suspended_reason="", suspended_at=None)
    )
