"""Noticing that this database is not the one that dialed last: put back to an earlier state, or another server's copy.

Such a database has forgotten calls that were made, and would have them made again. So the switch for all lines goes off
until a person has looked (`switches`), and every claim in it is in doubt.

Two signs. (1) Each claim counts the switch's `mark` up, and the number is also kept outside of the database before
anything is dialed: in a file in `DATA_DIR`, and in Redis where there is one; the highest counts. A database whose mark
is below it is an older one. (2) PostgreSQL's system identifier and timeline, kept in the database itself: a fail-over
or a point-in-time recovery begins a new timeline, and a dump that is loaded elsewhere meets another identifier.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from callcenter.lib.database import server_identity
from callcenter.lib.errors import DomainError
from telephony.models import CallAttempt, DialerSwitch
from telephony.services import moves
from telephony.services.switches import dialer_switch, stop_for, turning
from telephony.states import AttemptState, MoveReason, SwitchReason

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS: Final = 1.0
# The highest number of each installation that this process has come across.
_seen: dict[str, int] = {}
# Two workers may count up at once, and the outside must never go down.
_RAISE: Final = """
local kept = tonumber(string.match(redis.call('GET', KEYS[1]) or '', '^%d+') or '-1')
if tonumber(ARGV[1]) > kept then redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2]) end
return 1
"""


class NowhereToKeep(DomainError):
    """The mark could be written neither to the file nor to Redis; nothing may be dialed."""

    code = "mark_not_kept"


@dataclass(frozen=True)
class Mark:
    """How far the history of an installation has come, and when."""

    number: int
    at: datetime


def look(*, now: datetime) -> bool:
    """Whether this database is the one that dialed last; when it is not, the dialer is off from now on.

    Call outside a transaction; reads the file and Redis.
    """
    switch = dialer_switch()
    outside = _known(switch)
    identity = server_identity()
    if outside is not None:
        _seen[switch.installation.hex] = max(outside.number, _seen.get(switch.installation.hex, 0))
    if outside is not None and outside.number > switch.mark:
        return not _stop(SwitchReason.RESTORED, now=now, outside=outside, identity=identity)
    if identity != switch.server_identity and switch.server_identity:
        return not _stop(SwitchReason.FAILED_OVER, now=now, outside=outside, identity=identity)
    if identity != switch.server_identity:
        DialerSwitch.objects.filter(pk=switch.pk, server_identity="").update(server_identity=identity)
    return True


def count_up(switch: DialerSwitch, *, now: datetime) -> Mark:
    """The next mark, written with the claim that it stands for; give it to `keep` after the commit."""
    switch.mark, switch.marked_at = switch.mark + 1, now
    switch.save(update_fields=["mark", "marked_at"])
    return Mark(switch.mark, now)


def keep(switch: DialerSwitch, mark: Mark) -> None:
    """Nothing; the mark is kept outside of the database. Only now may what it stands for be dialed.

    Errors: `NowhereToKeep`.
    """
    kept = 0
    for place in _places(switch):
        try:
            place.raise_to(mark)
            kept += 1
        except (OSError, RedisError) as error:
            log.warning("dialer: the mark was not kept in one of its places (%s)", type(error).__name__)
    if not kept:
        raise NowhereToKeep("The mark of the last claim could not be kept outside of the database.")
    _seen[switch.installation.hex] = max(mark.number, _seen.get(switch.installation.hex, 0))


def is_behind(switch: DialerSwitch) -> bool:
    """Whether this process has seen more of the history than the database knows; asked with each intent."""
    return switch.mark < _seen.get(switch.installation.hex, 0)


def _stop(reason: SwitchReason, *, now: datetime, outside: Mark | None, identity: str) -> bool:
    """Whether the switch was turned off; not when another process was quicker, or has claimed since we looked."""
    with transaction.atomic():
        switch = turning()
        is_older = outside is not None and outside.number > switch.mark
        if not is_older and switch.server_identity == identity:
            return False
        switch.lost_from = switch.lost_from or switch.marked_at
        switch.lost_until = outside.at if is_older and outside else now
        # From here on the history goes on above everything that was ever dialed.
        switch.mark = max(switch.mark, outside.number if outside else 0)
        switch.server_identity = identity
        switch.save(update_fields=["lost_from", "lost_until", "mark", "server_identity"])
        stop_for(switch, reason, now=now)
        for attempt_id in CallAttempt.objects.filter(state=AttemptState.CLAIMED).values_list("pk", flat=True):
            moves.doubt(
                moves.locked(attempt_id), expected=[AttemptState.CLAIMED], reason=MoveReason.HISTORY_LOST, now=now
            )
    return True


def _known(switch: DialerSwitch) -> Mark | None:
    """The highest mark that is kept outside; None when there is none."""
    found = []
    for place in _places(switch):
        with contextlib.suppress(OSError, RedisError):
            if (mark := place.read()) is not None:
                found.append(mark)
    return max(found, key=lambda mark: mark.number, default=None)


def _places(switch: DialerSwitch) -> Iterator[_File | _Redis]:
    yield _File(Path(settings.DATA_DIR) / f"dialer-mark-{switch.installation.hex}.txt")
    if settings.REDIS_URL:
        yield _Redis(f"{settings.REDIS_KEY_PREFIX}dialer-mark:{switch.installation.hex}")


class _File:
    """A file that the processes of one host share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Mark | None:
        try:
            return _parsed(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def raise_to(self, mark: Mark) -> None:
        with self._path.open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            kept = _parsed(file.read())
            if kept is not None and kept.number >= mark.number:
                return
            file.truncate(0)
            file.write(_text(mark))
            file.flush()
            os.fsync(file.fileno())


class _Redis:
    """A key in the broker's Redis, for workers on several hosts."""

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self) -> Mark | None:
        with self._client() as client:
            value = client.get(self._key)
        return _parsed(value.decode("ascii", "replace")) if isinstance(value, bytes) else None

    def raise_to(self, mark: Mark) -> None:
        number, _space, at = _text(mark).partition(" ")
        with self._client() as client:
            client.eval(_RAISE, 1, self._key, number, at)

    def _client(self) -> Redis:
        return Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )


def _text(mark: Mark) -> str:
    return f"{mark.number} {mark.at.isoformat()}"


def _parsed(text: str) -> Mark | None:
    number, _space, at = text.strip().partition(" ")
    try:
        return Mark(int(number), datetime.fromisoformat(at))
    except ValueError:
        # Empty or torn: a power cut while it was being written.
        return None
