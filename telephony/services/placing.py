"""Placing calls that are claimed: each at its instant, at most once, and what the PABX said is stored.

The order is the promise. (1) An attempt is claimed and committed (`dialing`). (2) With the connection to the PABX open,
the intent to send is committed by compare-and-set, with the claim's own token (`intents`). (3) One POST, no transaction
open. (4) The answer is stored (`answers`). A process that dies before (2) has called nobody; one that dies after it
leaves an attempt that only news or a person settles.

The threads that send touch no database: their intents and answers go through one journal, which commits those of the
same moment together.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from callcenter.lib.crashing import crash_point
from callcenter.lib.database import any_of, as_instant, as_list, known_row, rows_of
from callcenter.lib.errors import DomainError
from callcenter.lib.secrets import SecretUnreadable
from telephony.models import CallAttempt, DialerLine
from telephony.providers import http
from telephony.providers.base import ProviderError
from telephony.providers.digitro.client import DigitroClient
from telephony.providers.lanes import Lanes
from telephony.selectors import channel_number
from telephony.services import answers, moves
from telephony.services.journal import Direct, Journal
from telephony.services.lines import access_of, suspend_line
from telephony.services.turns import seconds_until_turn
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

S = AttemptState

POOL_SIZE: Final = 50
# How long after the intent a call may still leave: a process that was paused in between must not wake up and dial.
STALE_AFTER_SECONDS: Final = 2.0


class NotOurs(DomainError):
    """Somebody else has the attempt, or it was given back; nothing was sent, and nothing is left to store."""

    code = "not_ours"


def place_calls(attempt_ids: Sequence[int]) -> None:
    """Place these claimed attempts, up to 50 at once in a process, each at its own instant.

    Safe to repeat: an attempt that was placed, or that somebody else has, is left alone.
    """
    if len(attempt_ids) == 1:
        place_call(attempt_ids[0])
        return
    attempts = _claimed_attempts(attempt_ids)
    if not attempts:
        return
    crash_point("before_placing")
    # None is needed while the calls are placed.
    if not connection.in_atomic_block:
        connection.close()
    with Lanes() as lanes, Journal() as journal:
        lines = {attempt.line_id: attempt.line for attempt in attempts}
        ways = {line_id: _way_of(line, post=lanes.post) for line_id, line in lines.items()}
        # Each thread takes the next until none is left: one task of the pool a call would cost as much as its POST.
        waiting = deque(attempts)
        threads = min(POOL_SIZE, len(attempts))
        for thread in [_pool().submit(_place_all, waiting, ways=ways, journal=journal) for _ in range(threads)]:
            thread.result()


def place_call(attempt_id: int) -> None:
    """Place one claimed attempt, at most once, and store what came of it."""
    for attempt in _claimed_attempts([attempt_id]):
        _place(attempt, way=_way_of(attempt.line, post=http.post), journal=Direct())


@cache
def _pool() -> ThreadPoolExecutor:
    """The process's dialing threads, shared by its tasks, so that there are never more than POOL_SIZE of them."""
    return ThreadPoolExecutor(max_workers=POOL_SIZE, thread_name_prefix="dial")


def _way_of(line: DialerLine, *, post: Callable[..., http.Answer]) -> Callable[..., str]:
    """What places a call through the line; the same for all its calls, so that it is made once."""
    client = DigitroClient(
        access_of(line),
        connect_timeout_seconds=settings.DIGITRO_CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=settings.DIGITRO_READ_TIMEOUT_SECONDS,
        post=post,
    )
    if line.mode == DialerLine.Mode.PREDICTIVE:
        return client.place_predictive_call
    return partial(client.place_call_by_route, slug=settings.DIGITRO_SPECIFIC_ROUTE_SLUG)


def _place_all(waiting: deque[CallAttempt], *, ways: Mapping[int, Callable[..., str]], journal: Journal) -> None:
    while waiting:
        try:
            attempt = waiting.popleft()
        except IndexError:
            # Another thread was quicker.
            return
        try:
            _place(attempt, way=ways[attempt.line_id], journal=journal)
        except Exception:
            log.exception("attempt %s: placing failed; the sweep will settle it", attempt.pk)


def _place(attempt: CallAttempt, *, way: Callable[..., str], journal: Journal | Direct) -> None:
    if not _wait_for_turn(attempt):
        return
    try:
        provider_call_id = way(
            phone_e164=attempt.phone_e164,
            data=attempt.token.hex,
            before_send=partial(_pass_the_fence, attempt, journal),
        )
    except NotOurs:
        return
    except (ProviderError, answers.StaleIntent) as error:
        log.warning("attempt %s: %s (%s)", attempt.pk, error.code, error.message)
        crash_point("before_failure_stored")
        journal.store_failure(attempt, error)
    else:
        crash_point("before_answer_stored")
        journal.store_accepted(attempt, provider_call_id)


def _pass_the_fence(attempt: CallAttempt, journal: Journal | Direct) -> None:
    """Nothing, when the call may leave this instant; called on the open connection, right before the first byte.

    Errors: `NotOurs`, `StaleIntent`; then nothing is sent.
    """
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    if not journal.intend(attempt):
        raise NotOurs("The attempt is not this caller's to send.")
    if time.clock_gettime(time.CLOCK_BOOTTIME) - began > STALE_AFTER_SECONDS:
        raise answers.StaleIntent("The intent is too old.")
    crash_point("before_first_byte")


def _claimed_attempts(attempt_ids: Sequence[int]) -> list[CallAttempt]:
    """Those that are still claimed, in the order in which they leave, with their line's secrets.

    A line without readable secrets is stopped. Its attempts go back to the queue, and those of one without a channel.
    """
    attempts = _claimed_rows(attempt_ids)
    lines: dict[int, DialerLine] = {}
    for line_id in {attempt.line_id for attempt in attempts}:
        try:
            line = DialerLine.objects.select_related("event_channel").get(pk=line_id)
        except SecretUnreadable as error:
            log.exception("line %s: its credentials can't be decrypted", line_id)
            suspend_line(line_id, reason=MoveReason.MISCONFIGURED, now=timezone.now())
            _give_back(_of_line(attempts, line_id), reason=MoveReason.MISCONFIGURED, error_code=error.code)
            continue
        if channel_number(line) is None:
            # Lost since the claim: nothing that a person would have to mend.
            _give_back(_of_line(attempts, line_id), reason=MoveReason.HELD)
            continue
        lines[line_id] = line
    usable = []
    for attempt in attempts:
        if found := lines.get(attempt.line_id):
            attempt.line = found
            usable.append(attempt)
    return usable


def _claimed_rows(attempt_ids: Sequence[int]) -> list[CallAttempt]:
    """Those that are still claimed, by hand, with what placing them needs; the rest is read when it is asked for."""
    columns = ("id", "token", "call_request_id", "company_id", "line_id", "number", "state", "phone_e164")
    rows = rows_of(
        f"SELECT {', '.join(columns)}, claim_token, claimed_at, send_at, lease_until FROM telephony_callattempt"
        f" WHERE {any_of('id')} AND state = %s ORDER BY send_at, id",
        [as_list(attempt_ids), S.CLAIMED.value],
    )
    for row in rows:
        row |= {name: UUID(str(row[name])) for name in ("token", "claim_token")}
        row |= {name: as_instant(row[name]) for name in ("claimed_at", "send_at", "lease_until")}
    return [known_row(CallAttempt, **row) for row in rows]


def _of_line(attempts: Sequence[CallAttempt], line_id: int) -> list[int]:
    return [attempt.pk for attempt in attempts if attempt.line_id == line_id]


def _give_back(attempt_ids: Sequence[int], *, reason: MoveReason, error_code: str = "") -> None:
    now = timezone.now()
    for attempt_id in attempt_ids:
        with transaction.atomic():
            moves.release(
                moves.locked(attempt_id),
                expected=[S.CLAIMED],
                reason=reason,
                due_at=now,
                now=now,
                error_code=error_code,
            )


def _wait_for_turn(attempt: CallAttempt) -> bool:
    """Whether the attempt's turn has come; sleeps until it does, but never past its lease."""
    wait = seconds_until_turn(attempt)
    if wait is None:
        return False
    if wait > 0:
        # A connection must not be held through the wait.
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(wait)
    return True
