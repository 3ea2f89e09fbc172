"""Who writes down what the sending threads intend and learn: one thread a task, everything of a moment in one commit.

A commit waits for the disk, and each statement costs its way to the database and back; fifty calls at once would pay
for both a hundred times. Nothing is answered before it is committed. What can't be written together is written one by
one, so that one bad row holds up nobody.
"""

from __future__ import annotations

import logging
import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from django.db import connection

from callcenter.lib.crashing import crash_point
from telephony.services import answers
from telephony.services.intents import commit_intents

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from callcenter.lib.errors import DomainError
    from telephony.models import CallAttempt

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 200


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

    def __init__(self, attempt: CallAttempt) -> None:
        self.attempt = attempt
        self.is_granted = False
        self.error: Exception | None = None
        self.is_decided = threading.Event()


_Accepted = tuple["CallAttempt", str]


class Journal:
    """Writes for many threads, in a thread and a connection of its own; use it in a `with`.

    At the end of the block everything is stored. An intent is answered after its commit; an answer of the PABX is
    taken without waiting: a process that dies before it is stored leaves a doubt, as it does a moment earlier.
    """

    def __init__(self) -> None:
        self._said: queue.SimpleQueue[_Intent | _Accepted | Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._said.put(None)
        self._thread.join()

    def intend(self, attempt: CallAttempt) -> bool:
        """Whether the intent is committed, so that the call may leave."""
        intent = _Intent(attempt)
        self._said.put(intent)
        intent.is_decided.wait()
        if intent.error is not None:
            raise intent.error
        return intent.is_granted

    def store_accepted(self, attempt: CallAttempt, provider_call_id: str) -> None:
        """Nothing; that the PABX accepted the call will be stored."""
        self._said.put((attempt, provider_call_id))

    def store_failure(self, attempt: CallAttempt, error: DomainError) -> None:
        """Nothing; what went wrong will be stored."""
        self._said.put(partial(answers.store_failure, attempt, error))

    def _write(self) -> None:
        is_over = False
        try:
            while not is_over:
                said = self._waiting()
                is_over = None in said
                intents = [one for one in said if isinstance(one, _Intent)]
                if intents:
                    _decide(intents)
                accepted = [one for one in said if isinstance(one, tuple)]
                if accepted:
                    _store_accepted(accepted)
                for store in said:
                    if callable(store):
                        _stored(store)
        finally:
            connection.close()

    def _waiting(self) -> list[_Intent | _Accepted | Callable[[], None] | None]:
        said = [self._said.get()]
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
        intent.is_granted = intent.attempt.pk in granted
        intent.is_decided.set()


def _store_accepted(accepted: list[_Accepted]) -> None:
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
