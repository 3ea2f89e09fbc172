"""Numbers that all processes count up together: in Redis, else in a file that the processes of one host share.

They hold nothing worth keeping, and nothing waits for them: when they do not answer, each process counts for itself.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

# A counter is asked for before every request, so a server that is frozen must be given up at once.
_REDIS_TIMEOUT_SECONDS: Final = 0.25
_FILE_TIMEOUT_SECONDS: Final = 1.0
# After a failure the shared counters are left alone for so long.
_PAUSE_SECONDS: Final = 5.0
_PRUNE_SECONDS: Final = 60.0
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS counters"
    " (name TEXT PRIMARY KEY, number INTEGER NOT NULL, forget_at REAL NOT NULL) WITHOUT ROWID"
)
_ADD: Final = (
    "INSERT INTO counters (name, number, forget_at) VALUES (?, 1, ?)"
    " ON CONFLICT (name) DO UPDATE SET number = number + 1"
)


@dataclass(frozen=True)
class Slot:
    """One counter; it may be forgotten `keep_seconds` after it was last counted up."""

    name: str
    keep_seconds: int


class Counters(Protocol):
    """Counters by name."""

    def visit(self, *, add: Sequence[Slot], read: Sequence[Slot]) -> list[int]:
        """The numbers of `add`, counted up by one each, then those of `read` as they are. One round trip."""


class RedisCounters:
    """In Redis.

    Errors: `RedisError` when it does not answer within a quarter of a second.
    """

    def __init__(self, url: str, *, key_prefix: str) -> None:
        self._key_prefix = f"{key_prefix}counters:"
        self._redis = Redis.from_url(
            url,
            socket_timeout=_REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
            # A repeated INCR counts twice, and a repeated wait is a wait.
            retry=Retry(NoBackoff(), 0),
        )

    def visit(self, *, add: Sequence[Slot], read: Sequence[Slot]) -> list[int]:
        """The numbers, in one MULTI."""
        with self._redis.pipeline(transaction=True) as pipe:
            for slot in add:
                pipe.incr(self._key_prefix + slot.name)
            for slot in read:
                pipe.get(self._key_prefix + slot.name)
            for slot in add:
                pipe.expire(self._key_prefix + slot.name, slot.keep_seconds)
            return [int(number or 0) for number in pipe.execute()[: len(add) + len(read)]]


class FileCounters:
    """In a SQLite file of its own, shared by the processes of one host; `:memory:` is one process's own.

    Not in the main database: counting there would make every read of the API a write of the only writer.

    Errors: `sqlite3.Error`.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=_FILE_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        weakref.finalize(self, self._connection.close)
        # Losing the last counts in a power cut harms nobody; waiting for the disk on each request would.
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(_TABLE)
        self._prune_at = 0.0

    def visit(self, *, add: Sequence[Slot], read: Sequence[Slot]) -> list[int]:
        """The numbers, in one transaction when there is something to count."""
        names = [slot.name for slot in (*add, *read)]
        with self._lock:
            if not add:
                return [self._number(name) for name in names]
            # A wall clock: the file outlives the process.
            now = time.time()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if now >= self._prune_at:
                    self._prune_at = now + _PRUNE_SECONDS
                    self._connection.execute("DELETE FROM counters WHERE forget_at < ?", [now])
                self._connection.executemany(_ADD, [(slot.name, now + slot.keep_seconds) for slot in add])
                numbers = [self._number(name) for name in names]
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            return numbers

    def _number(self, name: str) -> int:
        row = self._connection.execute("SELECT number FROM counters WHERE name = ?", [name]).fetchone()
        return int(row[0]) if row else 0


class SharedCounters:
    """The shared counters while they answer, else this process's own, so that nobody ever waits or fails for them.

    The process's own count is never higher than the shared one would be: who is refused then would be refused anyway.
    """

    def __init__(self, url: str, *, key_prefix: str, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._place = (url, key_prefix, path)
        self._shared: Counters | None = None
        self._own = FileCounters(":memory:")
        self._resume_at = 0.0

    def visit(self, *, add: Sequence[Slot], read: Sequence[Slot]) -> list[int]:
        """The numbers, from wherever they can be had."""
        if self._clock() >= self._resume_at:
            try:
                self._shared = self._shared or _opened(*self._place)
                return self._shared.visit(add=add, read=read)
            except (RedisError, sqlite3.Error, OSError) as error:
                self._shared = None
                self._resume_at = self._clock() + _PAUSE_SECONDS
                logger.error(  # noqa: TRY400 - the trace of a time-out says nothing more
                    "limits: the shared counters do not answer (%s); each process counts for itself for %.0f s",
                    type(error).__name__,
                    _PAUSE_SECONDS,
                )
        return self._own.visit(add=add, read=read)


def shared_counters() -> Counters:
    """The counters of this installation: in the Redis of `REDIS_URL`, else in a file in `DATA_DIR`."""
    path = str(Path(settings.DATA_DIR) / "counters.sqlite3")
    return _of_process(settings.REDIS_URL, settings.REDIS_KEY_PREFIX, path, os.getpid())


# A connection must not be used on both sides of a fork, hence the process's id.
@lru_cache(maxsize=4)
def _of_process(url: str, key_prefix: str, path: str, _process_id: int) -> SharedCounters:
    return SharedCounters(url, key_prefix=key_prefix, path=path)


def _opened(url: str, key_prefix: str, path: str) -> Counters:
    return RedisCounters(url, key_prefix=key_prefix) if url else FileCounters(path)
