"""One poller for all open streams of a process: what is new is read once and handed to whoever listens for it.

A database connection per stream would be hundreds; here there are two, whatever the number of streams. Messages become
visible in the order of their numbers, so "greater than the last" skips none.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from django.db import close_old_connections, connection

from helpdesk.selectors import chat

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable
    from datetime import datetime

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS: Final = 0.2
# How conversations stand changes rarely, and is asked for all listened-to ones.
STATES_SECONDS: Final = 2.0
STATES_AT_ONCE: Final = 500
RETRY_SECONDS: Final = 2.0
FIRST_LOOK_SECONDS: Final = 10.0
# A reader that is so far behind is let go; it comes back with the number it has.
MOST_UNREAD: Final = 100
_THREADS: Final = 2


class Event(NamedTuple):
    """Something for a visitor's page; `number` = 0 where it is no message."""

    number: int
    kind: str
    data: dict[str, Any]


Mailbox = asyncio.Queue[Event | None]
TICK: Final = Event(0, "mudou", {})


class Hub:
    """Who listens to which conversation. None in a mailbox = end the stream."""

    def __init__(self) -> None:
        self._mailboxes: dict[uuid.UUID, set[Mailbox]] = defaultdict(set)
        self._states: dict[uuid.UUID, dict[str, Any]] = {}
        self._watching: dict[uuid.UUID, set[Mailbox]] = defaultdict(set)
        self._changed_at: dict[uuid.UUID, datetime | None] = {}
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="streams")
        self._poller: asyncio.Task[None] | None = None
        self._has_looked = asyncio.Event()
        self._last = 0
        self.open_count = 0

    async def ask(self, question: Callable[..., T], *args: Any) -> T:
        """What a function that reads the database answers, from a thread that has a connection."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _asked, question, args)

    async def listen(self, key: uuid.UUID) -> Mailbox:
        """A mailbox into which everything new of that conversation comes from now on.

        Errors: `TimeoutError` while the database can't be read.
        """
        mailbox: Mailbox = asyncio.Queue(MOST_UNREAD)
        self._mailboxes[key].add(mailbox)
        self._open()
        # What is committed after this is handed out; what was before, the stream reads for itself.
        try:
            await asyncio.wait_for(self._has_looked.wait(), FIRST_LOOK_SECONDS)
        except BaseException:
            self.leave(key, mailbox)
            raise
        return mailbox

    def watch(self, atendimento_id: uuid.UUID) -> Mailbox:
        """A mailbox that gets a tick once it is watched, and one whenever anything of that atendimento changes.

        What changed is not said: whoever may know it asks for it elsewhere.
        """
        mailbox: Mailbox = asyncio.Queue(1)
        self._watching[atendimento_id].add(mailbox)
        # Looked at anew, so that what changes between the watcher's last reading and this look is told as well.
        self._changed_at.pop(atendimento_id, None)
        self._open()
        return mailbox

    def unwatch(self, atendimento_id: uuid.UUID, mailbox: Mailbox) -> None:
        """Nothing; the mailbox gets no tick any more."""
        self.open_count -= 1
        self._watching[atendimento_id].discard(mailbox)
        if not self._watching[atendimento_id]:
            del self._watching[atendimento_id]
            self._changed_at.pop(atendimento_id, None)

    def _open(self) -> None:
        self.open_count += 1
        if self._poller is None:
            self._has_looked.clear()
            self._poller = asyncio.create_task(self._poll())

    def leave(self, key: uuid.UUID, mailbox: Mailbox) -> None:
        """Nothing; the mailbox gets nothing more."""
        self.open_count -= 1
        self._mailboxes[key].discard(mailbox)
        if not self._mailboxes[key]:
            del self._mailboxes[key]
            self._states.pop(key, None)

    async def close(self) -> None:
        """End the poller, the threads and their connections."""
        if self._poller is not None:
            self._poller.cancel()
        # Each thread has to close its own.
        together = threading.Barrier(_THREADS)
        for _ in range(_THREADS):
            self._threads.submit(_let_go, together)
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)

    async def _poll(self) -> None:
        """Until nobody listens any more."""
        ask_states_at, is_fresh = 0.0, True
        while self._mailboxes or self._watching:
            try:
                if is_fresh:
                    self._last, is_fresh = await self.ask(chat.last_number), False
                    self._has_looked.set()
                await self._hand_out_messages()
                await self._hand_out_ticks()
                if time.monotonic() >= ask_states_at:
                    await self._hand_out_states()
                    ask_states_at = time.monotonic() + STATES_SECONDS
            except Exception:
                log.exception("streams: the database can't be read now; trying again")
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(POLL_SECONDS)
        self._poller = None

    async def _hand_out_messages(self) -> None:
        while found := await self.ask(chat.new_messages, self._last):
            for key, message in found:
                self._last = message["numero"]
                self._hand_out(key, Event(message["numero"], "mensagem", message))
            if len(found) < chat.BATCH:
                return

    async def _hand_out_ticks(self) -> None:
        keys = list(self._watching)
        for start in range(0, len(keys), STATES_AT_ONCE):
            some = keys[start : start + STATES_AT_ONCE]
            found = await self.ask(chat.changes_of, some)
            for key in some:
                # A deleted one is not found, and stays so.
                changed_at = found.get(key)
                if key in self._watching and (key not in self._changed_at or self._changed_at[key] != changed_at):
                    self._changed_at[key] = changed_at
                    for mailbox in self._watching[key]:
                        # One that was not read yet says as much as two.
                        if mailbox.empty():
                            mailbox.put_nowait(TICK)

    async def _hand_out_states(self) -> None:
        keys = list(self._mailboxes)
        for start in range(0, len(keys), STATES_AT_ONCE):
            some = keys[start : start + STATES_AT_ONCE]
            found = await self.ask(chat.states_of, some)
            for key in some:
                # A deleted one has nothing more to say.
                state = found.get(key, {"aberto": False, "atendente": ""})
                if key in self._mailboxes and self._states.get(key) != state:
                    self._states[key] = state
                    self._hand_out(key, Event(0, "estado", state))

    def _hand_out(self, key: uuid.UUID, event: Event) -> None:
        for mailbox in self._mailboxes.get(key, ()):
            if mailbox.qsize() < MOST_UNREAD - 1:
                mailbox.put_nowait(event)
            elif not mailbox.full():
                mailbox.put_nowait(None)


def _asked(question: Callable[..., T], args: tuple[Any, ...]) -> T:
    close_old_connections()
    try:
        return question(*args)
    finally:
        close_old_connections()


def _let_go(together: threading.Barrier) -> None:
    connection.close()
    together.wait(timeout=RETRY_SECONDS)
