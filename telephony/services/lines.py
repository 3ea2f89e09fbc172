"""Dialer lines: what their client needs, and switching them off and on again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from callcenter.accounts.models import Company
from callcenter.lib.database import any_of, as_instant, as_list, joined, known_row
from callcenter.lib.questions import Question, answer_to
from telephony.models import DialerLine, EventChannel, LineBreaker, OpeningHours
from telephony.providers.digitro.wire import LineAccess
from telephony.selectors import channel_in_use, channel_number
from telephony.services.policy import next_open_instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

log = logging.getLogger(__name__)

_EVENT_CHANNEL: Final[Any] = DialerLine._meta.get_field("event_channel")


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


@dataclass(frozen=True)
class LineNow:
    """A line as it stands this moment. Of the rows only what decides whether it dials is known; the rest is read late.

    `breaker` None = nothing has ever failed.
    """

    line: DialerLine
    opening_hours: tuple[OpeningHours, ...]
    breaker: LineBreaker | None

    def opens_at(self, now: datetime) -> datetime | None:
        """The first instant from `now` on at which it is open; None when it never opens."""
        return next_open_instant(self.opening_hours, at=now.astimezone(self.line.company.zone))


def lines_now(line_ids: Iterable[int]) -> dict[int, LineNow]:
    """What decides whether each of these lines dials. One query."""
    return answer_to(state_of_lines(line_ids))


def state_of_lines(line_ids: Iterable[int]) -> Question[dict[int, LineNow]]:
    """What `lines_now` asks; by hand, because it is asked before every call."""
    hours = joined("(h.weekday || ' ' || h.opens_at || ' ' || h.closes_at)")
    return Question(
        "SELECT l.id, l.company_id, l.is_enabled, l.suspended_reason, l.channel_id, l.activity, l.sector, l.exemption,"
        " l.limited_until, c.activity AS company_activity, c.is_active AS company_is_active,"
        " c.time_zone AS company_time_zone,"
        " e.id AS channel_row, e.state AS channel_state, e.channel_id AS channel_number, e.lease_until,"
        " b.state AS breaker_state, b.changed_at AS breaker_changed_at,"
        f" (SELECT {hours} FROM telephony_openinghours h WHERE h.line_id = l.id) AS hours"
        " FROM telephony_dialerline l JOIN accounts_company c ON c.id = l.company_id"
        " LEFT JOIN telephony_eventchannel e ON e.line_id = l.id LEFT JOIN telephony_linebreaker b ON b.line_id = l.id"
        f" WHERE {any_of('l.id')}",
        [as_list(line_ids)],
        lambda rows: {row["id"]: _line_now(row) for row in rows},
    )


def _line_now(row: dict[str, Any]) -> LineNow:
    names = ("id", "company_id", "is_enabled", "suspended_reason", "channel_id", "activity", "sector", "exemption")
    limited_until = as_instant(row["limited_until"])
    line = known_row(DialerLine, limited_until=limited_until, **{name: row[name] for name in names})
    line.company = known_row(
        Company,
        id=row["company_id"],
        is_active=row["company_is_active"],
        time_zone=row["company_time_zone"],
        activity=row["company_activity"],
    )
    channel = breaker = None
    if row["channel_row"] is not None:
        channel = known_row(
            EventChannel,
            id=row["channel_row"],
            line_id=row["id"],
            state=row["channel_state"],
            channel_id=row["channel_number"],
            lease_until=as_instant(row["lease_until"]),
        )
    # None, too, so that nobody looks for it again.
    _EVENT_CHANNEL.set_cached_value(line, channel)
    if row["breaker_state"] is not None:
        changed_at = as_instant(row["breaker_changed_at"])
        breaker = known_row(LineBreaker, line_id=row["id"], state=row["breaker_state"], changed_at=changed_at)
    return LineNow(line, _blocks(row["hours"] or ""), breaker)


@lru_cache(maxsize=256)
def _blocks(text: str) -> tuple[OpeningHours, ...]:
    """The opening hours in the text that `lines_now` asks for."""
    parts = [block.split(" ") for block in text.split(",") if block]
    return tuple(
        OpeningHours(weekday=int(day), opens_at=time.fromisoformat(opens), closes_at=time.fromisoformat(closes))
        for day, opens, closes in parts
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
