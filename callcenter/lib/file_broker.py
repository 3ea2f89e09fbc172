"""kombu's broker in files, made to survive a kill and a power cut: what is there is whole, what is torn is left out.

kombu writes a message and a table of bindings in place. A reader that comes between, or after a kill in between, finds
an empty file: a message like that ended the worker, a table like that every worker from then on.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

Binding = filesystem.exchange_queue_t


class Channel(filesystem.Channel):
    """kombu's channel, with every file put in place in one step."""

    def get_table(self, exchange: str) -> list[Any]:
        """The bindings of an exchange; none when its file is missing or torn."""
        try:
            return [Binding(*binding) for binding in loads(self._table(exchange).read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except ValueError:
            log.warning("broker: the bindings of %s were torn; they are made anew", exchange)
            return []

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        added = Binding(routing_key or "", pattern or "", queue or "")
        with self._table_lock():
            table = self.get_table(exchange)
            if added not in table:
                _put_in_place(self._table(exchange), [added, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        virtual.Channel._delete(self, queue, exchange, routing_key, pattern, *args, **kwargs)
        gone = Binding(routing_key or "", pattern or "", queue or "")
        with self._table_lock():
            table = self.get_table(exchange)
            if gone in table:
                _put_in_place(self._table(exchange), [binding for binding in table if binding != gone])

    # The stubs of kombu's two base classes disagree about this signature.
    def _put(self, queue: str, payload: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        # kombu's own kind of name: the oldest is read first.
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _put_in_place(Path(self.data_folder_out, name), payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError as error:
            # kombu has removed the file already. A lost message is a lost ring of a bell.
            log.warning("broker: a torn message was left out")
            raise Empty from error

    def _table(self, exchange: str) -> Path:
        # kombu's own check of the name; its type stubs don't know it.
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        return file

    @contextmanager
    def _table_lock(self) -> Iterator[None]:
        self.control_folder.mkdir(exist_ok=True)
        with Path(self.control_folder, "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """kombu's transport with our channel."""

    Channel = Channel


def _put_in_place(file: Path, content: Any) -> None:
    """Write the file beside its place, under a name that nobody reads, and move it there in one step."""
    new = file.with_name(f"{file.name}.{uuid.uuid4()}.new")
    new.write_text(dumps(content), encoding="utf-8")
    os.replace(new, file)
