"""Sending the carrier's events: who asked for them, when each is due, and the POST that carries it."""

import base64
import heapq
import http.client
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote, urlsplit

Job = TypeVar("Job")

WORKERS = 16
SEND_TIMEOUT_SECONDS = 5
_READ_LIMIT_BYTES = 65_536


@dataclass(frozen=True)
class Registration:
    """A URL that receives events; ``pin`` is empty when it was registered for all of the customer's pins.

    Which pin a call belongs to is not published; here it is the number that the call comes from.
    """

    code: str
    url: str
    pin: str


def address_without_credentials(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def post_event(url: str, body: bytes) -> tuple[int | None, str]:
    """The receiver's HTTP status and an empty text, or None and what went wrong. One try, no redirects.

    User and password at the start of the URL travel as HTTP Basic.
    Source: https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367
    """
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = connect(parts.hostname or "", parts.port, timeout=SEND_TIMEOUT_SECONDS)
    try:
        connection.request("POST", target, body, headers)
        response = connection.getresponse()
        response.read(_READ_LIMIT_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return response.status, ""


class Scheduler(Generic[Job]):
    """Performs jobs when they are due, on a fixed number of threads, however many jobs wait.

    A job says how many seconds later it wants its next turn; it never has two turns at once, so its steps keep order.
    """

    def __init__(self, perform: Callable[[Job], float | None], *, workers: int = WORKERS) -> None:
        self._perform = perform
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._heap: list[tuple[float, int, Job]] = []
        self._in_hand = 0
        self._is_closed = False
        for _ in range(workers):
            threading.Thread(target=self._work, daemon=True).start()

    def add(self, job: Job, *, in_seconds: float) -> None:
        """Give the job a turn after the pause."""
        with self._changed:
            self._push(job, in_seconds)

    def _push(self, job: Job, in_seconds: float) -> None:
        heapq.heappush(self._heap, (time.monotonic() + in_seconds, next(self._order), job))
        self._changed.notify()

    def waiting(self) -> int:
        """How many jobs are not done."""
        with self._changed:
            return len(self._heap) + self._in_hand

    def clear(self) -> None:
        """Forget the jobs that wait; those in hand finish their turn."""
        with self._changed:
            self._heap.clear()

    def close(self) -> None:
        """Let the threads end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (job := self._next_due()) is not None:
            pause_seconds = self._perform(job)
            with self._changed:
                self._in_hand -= 1
                if pause_seconds is not None:
                    self._push(job, pause_seconds)

    def _next_due(self) -> Job | None:
        with self._changed:
            while not self._is_closed:
                pause_seconds = self._heap[0][0] - time.monotonic() if self._heap else None
                if pause_seconds is not None and pause_seconds <= 0:
                    self._in_hand += 1
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(pause_seconds)
        return None
