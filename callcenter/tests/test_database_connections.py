"""PostgreSQL connections that outlive a request: a silent one is not asked whether it lives, a dead one is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from callcenter.lib.database import is_postgresql


class Kept:
    """A connection of its own, used by one HTTP request after the other."""

    wrapper: Any

    def __init__(self) -> None:
        self.wrapper = connections.create_connection("default")
        self.checks = 0
        asked: Any = self.wrapper.is_usable

        def counted() -> bool:
            self.checks += 1
            return bool(asked())

        setattr(self.wrapper, "is_usable", counted)  # noqa: B010  a method, to mypy

    def request(self) -> int:
        """The id of the server's process that answered the next request."""
        self.wrapper.close_if_unusable_or_obsolete()
        with self.wrapper.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])


@pytest.fixture
def kept(db: None) -> Iterator[Kept]:
    """The connection after its first request."""
    if not is_postgresql():
        pytest.skip("SQLite has no connection that could be lost.")
    found = Kept()
    found.request()
    yield found
    found.wrapper.close()


def test_a_silent_connection_is_trusted_for_seconds_and_asked_after_them(kept: Kept) -> None:
    process = kept.request()
    assert (kept.request(), kept.checks) == (process, 0)
    kept.wrapper._heard_at -= 5.1
    assert (kept.request(), kept.checks) == (process, 1)
    assert (kept.request(), kept.checks) == (process, 1)


def test_a_connection_that_the_server_ended_is_replaced_before_the_next_request(kept: Kept) -> None:
    process = kept.request()
    with connection.cursor() as cursor:
        # With a time, it waits until the process is gone.
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert cursor.fetchone()[0]
    assert kept.request() != process
    assert kept.checks == 1


def test_a_connection_that_was_closed_here_is_replaced(kept: Kept) -> None:
    process = kept.request()
    kept.wrapper.connection.close()
    assert kept.request() != process
