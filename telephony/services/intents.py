"""The intent to dial: the last look at the world and the commit that lets a call leave, for many calls together.

The commit is the fence against every other sender. It is one transaction for all that ask at the same moment; each of
them is judged by itself.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from callcenter.lib.crashing import crash_point
from callcenter.lib.database import any_of, as_list, as_stored, row_lock
from callcenter.lib.questions import Question, answers_to
from requests_app import selectors as requests
from requests_app.schedule import contact_window, next_opening
from telephony.models import CallAttempt
from telephony.selectors import channel_in_use, channel_number
from telephony.services import fence, moves, permission
from telephony.services.breaker import stands_against
from telephony.services.lines import state_of_lines
from telephony.services.policy import standing_hold
from telephony.services.switches import holding_open
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from requests_app.data import DueRequest
    from telephony.models import DialerSwitch
    from telephony.services.lines import LineNow

S = AttemptState


def commit_intents(attempts: Sequence[CallAttempt]) -> set[int]:
    """Ids of those of these claimed attempts that are the caller's to send, committed; the others must not leave.

    The world is read again: a request closed, a switch turned off, a breaker that opened or an hour that passed since
    the claim stops its call, which goes back to the queue.

    Effects: one transaction, eight statements whatever the number. The attempts in memory follow.
    """
    claims = [(attempt, attempt.claim_token) for attempt in attempts]
    try:
        free = _committed(attempts, now=timezone.now())
    except Exception:
        # In the database the claim still has the token that the caller had; the next try needs it.
        for attempt, token in claims:
            attempt.state, attempt.claim_token = S.CLAIMED, token
        raise
    crash_point("after_intent_commit")
    return {attempt.pk for attempt in free}


@transaction.atomic
def _committed(attempts: Sequence[CallAttempt], *, now: datetime) -> list[CallAttempt]:
    # An attempt is locked before its request; what is read of the others costs nothing more.
    _shared, switch, mine, wanted, lines, known = answers_to(
        *holding_open(),
        _still_mine(attempts, now=now),
        requests.wanted_of([one.call_request_id for one in attempts if one.call_request_id is not None]),
        state_of_lines({attempt.line_id for attempt in attempts}),
        permission.known_of(attempts, now=now),
    )
    world = _World(switch, wanted, lines, now)
    obstacles = {attempt.pk: obstacle for attempt in mine if (obstacle := world.obstacle(attempt)) is not None}
    asking = [attempt for attempt in mine if attempt.pk not in obstacles]
    refused = permission.refusals_of(asking, known=known, lines=world.dialer_lines, now=now)
    obstacles |= dict.fromkeys(refused, MoveReason.NOT_PERMITTED)
    free = [attempt for attempt in mine if attempt.pk not in obstacles]
    moves.move_all(
        free,
        S.SENDING,
        source=S.CLAIMED,
        reason=MoveReason.INTENT,
        now=now,
        sending_at=now,
        lease_until=now + timedelta(seconds=settings.DIALER_LEASE_SECONDS),
        # A new token: whoever else was handed the old claim can't send with it.
        claim_token=uuid.uuid4(),
    )
    for attempt in mine:
        if attempt.pk in obstacles:
            moves.release(attempt, expected=[S.CLAIMED], reason=obstacles[attempt.pk], due_at=now, now=now)
    crash_point("before_intent_commit")
    return free


def _still_mine(attempts: Sequence[CallAttempt], *, now: datetime) -> Question[list[CallAttempt]]:
    """Those that are claimed with the token that the caller has, and whose lease is not over; locked."""
    by_id = {attempt.pk: attempt for attempt in attempts}

    def read(rows: list[dict[str, Any]]) -> list[CallAttempt]:
        claimed = [(by_id[row["id"]], row["claim_token"]) for row in rows]
        return [attempt for attempt, token in claimed if token in {attempt.claim_token, attempt.claim_token.hex}]

    return Question(
        f"SELECT a.id, a.claim_token FROM telephony_callattempt a WHERE {any_of('a.id')} AND a.state = %s"
        f" AND a.lease_until > %s ORDER BY a.id{row_lock('a')}",
        [as_list(by_id), S.CLAIMED.value, as_stored(now)],
        read,
    )


class _World:
    """What the calls of one commit are judged by, as its transaction read it; the wanted requests are locked."""

    def __init__(
        self, switch: DialerSwitch, wanted: Mapping[int, DueRequest], lines: Mapping[int, LineNow], now: datetime
    ) -> None:
        self.dialer_lines = {line_id: known.line for line_id, known in lines.items()}
        self._now = now
        self._is_stopped = not switch.is_on or fence.is_behind(switch)
        self._wanted = wanted
        self._lines = lines
        self._may_dial = {line_id: self._is_dialing(known) for line_id, known in lines.items()}
        self._channels = {line_id: channel_in_use(line, now=now) for line_id, line in self.dialer_lines.items()}
        self._openings: dict[tuple[int, str, str], bool] = {}

    def obstacle(self, attempt: CallAttempt) -> MoveReason | None:
        """Why the call must not leave after all; None = nothing stands against it."""
        request = self._wanted.get(attempt.call_request_id or 0)
        if self._is_stopped:
            return MoveReason.ALL_STOPPED
        if request is None or request.phone_e164 != attempt.phone_e164:
            return MoveReason.WITHDRAWN
        if not self._may_dial[attempt.line_id] or not self._is_wanted_now(request, attempt.line_id):
            return MoveReason.HELD
        if self._channels[attempt.line_id] != channel_number(attempt.line):
            # Opened anew since the address was made: the PABX would refuse the old number.
            return MoveReason.HELD
        if stands_against(self._lines[attempt.line_id].breaker, claimed_at=attempt.claimed_at):
            return MoveReason.BREAKER
        return None

    def _is_dialing(self, known: LineNow) -> bool:
        opens = known.opens_at(self._now)
        return not standing_hold(known.line, now=self._now) and opens is not None and opens <= self._now

    def _is_wanted_now(self, request: DueRequest, line_id: int) -> bool:
        key = (line_id, request.time_from, request.time_to)
        if key not in self._openings:
            window = contact_window(request.time_from, request.time_to)
            opens = next_opening(self._now, window=window, zone=self.dialer_lines[line_id].company.zone)
            self._openings[key] = opens <= self._now
        return self._openings[key]
