"""The shared counters: no count is lost between threads and processes, and nobody waits for a store that is gone."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import time_machine

from callcenter.lib.counters import Counters, FileCounters, RedisCounters, SharedCounters, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, OTHER = Slot("one", 60), Slot("other", 60)


@pytest.fixture
def two_processes(tmp_path: Path) -> list[Counters]:
    """What two processes of one installation open: the Redis of this half of the tests, else a file."""
    url = os.environ.get("REDIS_URL")
    prefix = f"test-{uuid.uuid4().hex}:"
    if url:
        return [RedisCounters(url, key_prefix=prefix) for _ in range(2)]
    return [FileCounters(str(tmp_path / "counters.sqlite3")) for _ in range(2)]


def test_what_one_process_counts_the_other_sees(two_processes: list[Counters]) -> None:
    here, there = two_processes

    assert here.visit(add=[ONE], read=[OTHER]) == [1, 0]
    assert there.visit(add=[ONE, OTHER], read=[]) == [2, 1]
    assert here.visit(add=[], read=[ONE, OTHER]) == [2, 1]


def test_eight_threads_of_two_processes_get_every_number_once(two_processes: list[Counters]) -> None:
    def visit(turn: int) -> int:
        return two_processes[turn % 2].visit(add=[ONE, OTHER], read=[])[0]

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(visit, range(400)))

    assert sorted(numbers) == list(range(1, 401))
    assert two_processes[0].visit(add=[], read=[ONE, OTHER]) == [400, 400]


def test_the_file_forgets_what_is_over(tmp_path: Path) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        counters = FileCounters(str(tmp_path / "counters.sqlite3"))
        counters.visit(add=[ONE], read=[])
        clock.shift(61)
        assert counters.visit(add=[OTHER], read=[ONE]) == [1, 0]


@contextmanager
def frozen_server() -> Iterator[tuple[str, socket.socket]]:
    """The URL of a Redis that takes connections and never says a word, and its socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0", server


def connections_to(server: socket.socket) -> int:
    """How many have been made."""
    found = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return found
        found += 1


def test_a_frozen_redis_is_asked_once_and_then_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with frozen_server() as (url, server), caplog.at_level(logging.ERROR):
        counters = SharedCounters(url, key_prefix="", path="")
        numbers = [counters.visit(add=[ONE], read=[])[0] for _ in range(30)]
        connections = connections_to(server)

    assert numbers == list(range(1, 31))
    assert connections == 1
    assert Counter(record.levelname for record in caplog.records) == {"ERROR": 1}
    assert "each process counts for itself" in caplog.text


def test_after_a_pause_the_shared_counters_are_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "counters.sqlite3"
    seconds = 0.0
    counters = SharedCounters("", key_prefix="", path=str(path), clock=lambda: seconds)

    assert counters.visit(add=[ONE], read=[]) == [1]
    path.parent.mkdir()
    seconds = 4.9
    assert counters.visit(add=[ONE], read=[]) == [2]
    assert not path.exists()
    seconds = 5.1
    assert counters.visit(add=[ONE], read=[]) == [1]
    assert path.exists()


@pytest.mark.parametrize("content", [b"no database" * 100, b""])
def test_a_file_that_can_not_be_read_stops_nobody(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "counters.sqlite3"
    path.write_bytes(content)
    counters = SharedCounters("", key_prefix="", path=str(path))

    assert [counters.visit(add=[ONE], read=[])[0] for _ in range(2)] == [1, 2]
