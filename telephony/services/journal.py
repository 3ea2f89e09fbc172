"""Who writes down what the sending threads intend and learn: two threads a task, all of a moment in one commit.

A commit waits for the disk, and each statement costs its way to the database and back; fifty calls at once would pay
for both a hundred times. Nothing is answered before it is committed. What can't be written together is written one by
one, so that one bad row holds up nobody.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from django.db import connection

from callcenter.lib.crashing import crash_point
from telephony.services import answers
from telephony.services.intents import commit_intents

if TYPE_CHECKING:
    from types import TracebackType

    from callcenter.lib.errors import DomainError
    from telephony.models import CallAttempt

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_AT_ONCE: Final = 200
# Nobody waits for an answer to be stored, and a commit costs the same for one as for many.
GATHERS_ANSWERS_SECONDS: Final = 0.02


class Direct:
    """Writes at once, in the caller's thread and connection; for a single call."""

    def intend(self, attempt: CallAttempt) -> bool:
        """Whether the intent is committed, so that the call may leave."""
        return attempt.pk in commit_intents([attempt])

    def store_accepted(self, attempt: CallAttempt, provider_call_id: str) -> None:
        """Nothing; that the PABX accepted the call is stored."""
        answers.store_durably(partial(answers.store_accepted, attempt, provider_call_id))

    def store_failure(self, attempt: CallAttempt, error: DomainError) -> None:
        """Nothing; what went wrong is stored."""
        answers.store_durably(partial(answers.store_failure, attempt, error))


class _Intent:
    """One thread's question, and the answer it waits for."""

    __slots__ = ("_undecided", "attempt", "error", "is_granted")

    def __init__(self, attempt: CallAttempt) -> None:
        self.attempt = attempt
        self.is_granted = False
        self.error: Exception | None = None
        # Held until it is decided.
        self._undecided = threading.Lock()
        self._undecided.acquire()

    def wait(self) -> None:
        """Nothing, once it is decided."""
        self._undecided.acquire()

    def decide(self, *, is_granted: bool) -> None:
        """Let the thread go on."""
        self.is_granted = is_granted
        self._undecided.release()


_Answer = tuple["CallAttempt", str] | Callable[[], None]


class Journal:
    """Writes for many threads, in two threads and connections of its own; use it in a `with`.

    At the end of the block everything is stored. An intent is answered after its commit, and waits for no answer to be
    stored; an answer of the PABX is taken without waiting: a process that dies before it is stored leaves a doubt, as
    it does a moment earlier.
    """

    def __init__(self) -> None:
        self._intents = _Desk[_Intent]("intents", _decide)
        self._answers = _Desk[_Answer]("answers", _store, gathers_for=GATHERS_ANSWERS_SECONDS)

    def __enter__(self) -> Self:
        self._intents.open()
        self._answers.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._intents.close()
        self._answers.close()

    def intend(self, attempt: CallAttempt) -> bool:
        """Whether the intent is committed, so that the call may leave."""
        intent = _Intent(attempt)
        self._intents.say(intent)
        intent.wait()
        if intent.error is not None:
            raise intent.error
        return intent.is_granted

    def store_accepted(self, attempt: CallAttempt, provider_call_id: str) -> None:
        """Nothing; that the PABX accepted the call will be stored."""
        self._answers.say((attempt, provider_call_id))

    def store_failure(self, attempt: CallAttempt, error: DomainError) -> None:
        """Nothing; what went wrong will be stored."""
        self._answers.say(partial(answers.store_failure, attempt, error))


class _Desk(Generic[T]):
    """A thread with a connection of its own that writes whatever was said since it last looked, all of it together."""

    def __init__(self, name: str, write: Callable[[list[T]], None], *, gathers_for: float = 0.0) -> None:
        self._gathers_for = gathers_for
        self._said: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._write = write
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def open(self) -> None:
        """Begin."""
        self._thread.start()

    def say(self, something: T) -> None:
        """Nothing; it will be written."""
        self._said.put(something)

    def close(self) -> None:
        """Nothing, once all of it is written."""
        self._said.put(None)
        self._thread.join()

    def _work(self) -> None:
        is_over = False
        try:
            while not is_over:
                said = self._waiting()
                is_over = None in said
                if found := [one for one in said if one is not None]:
                    self._write(found)
        finally:
            connection.close()

    def _waiting(self) -> list[T | None]:
        said = [self._said.get()]
        if self._gathers_for and said[0] is not None:
            time.sleep(self._gathers_for)
        try:
            while len(said) < MOST_AT_ONCE:
                said.append(self._said.get_nowait())
        except queue.Empty:
            pass
        return said


def _decide(intents: list[_Intent]) -> None:
    try:
        granted = commit_intents([intent.attempt for intent in intents])
    except Exception as error:
        if len(intents) > 1:
            log.warning("%s intents could not be committed together; one by one now", len(intents), exc_info=True)
            for intent in intents:
                _decide([intent])
            return
        intents[0].error = error
        granted = set()
        # The next one gets a new connection, if it was this one's fault.
        connection.close_if_unusable_or_obsolete()
    for intent in intents:
        intent.decide(is_granted=intent.attempt.pk in granted)


def _store(said: list[_Answer]) -> None:
    accepted = [one for one in said if isinstance(one, tuple)]
    if accepted:
        _store_accepted(accepted)
    for store in said:
        if callable(store):
            _stored(store)


def _store_accepted(accepted: list[tuple[CallAttempt, str]]) -> None:
    crash_point("before_answers_commit")
    if len(accepted) > 1:
        try:
            answers.store_all_accepted(accepted)
        except Exception:
            log.warning("%s answers could not be stored together; one by one now", len(accepted), exc_info=True)
        else:
            crash_point("after_answers_commit")
            return
    for attempt, provider_call_id in accepted:
        _stored(partial(answers.store_accepted, attempt, provider_call_id))


def _stored(store: Callable[[], None]) -> None:
    try:
        answers.store_durably(store)
    except Exception:
        log.exception("a call's answer could not be stored; news, or the sweep after its lease, will settle it")
