"""How long “why isn't it dialed?” takes for everything at once, beside the plain ways to count it.

`python -m bench.why` (`--rows 1000000`): a PostgreSQL of its own; the counts and the whole page; ratios in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench import call_requests_data as data
from bench.worker import ENVIRONMENT, ROOT
from callcenter.tests import engines

if TYPE_CHECKING:
    from collections.abc import Iterator

GOAL_MS: Final = 200
# What the open requests of a database are made to wait for, by the row's number.
_WAITING: Final = """
UPDATE requests_app_callrequest SET status = 'in_progress',
    hold_reason = (ARRAY['', 'retry_wait', 'wanted_time', 'contact_window', 'with_person', 'retry_wait'])[1 + id % 6],
    due_at = CASE WHEN id % 6 = 4 THEN NULL WHEN id % 6 IN (0, 5) THEN now() - interval '1 hour'
                  ELSE now() + interval '1 day' * (1 + id % 5) END
WHERE {which}
"""

# Title, name, and which of the requests are open.
_DATABASES: Final = (("one in five is open", "some_open", "id % 5 = 0"), ("every one is open", "all_open", "true"))

# Run in a process of its own, because Django knows one database: prints milliseconds as JSON.
_TAKE: Final = """
import json, statistics, time
from collections import Counter
import django
django.setup()
from django.db import connection
from django.test import Client
from django.utils import timezone
from callcenter.accounts.models import User
from requests_app.models import CallRequest
from requests_app.selectors import waiting_counts
from requests_app.states import OPEN

def timed(work, times):
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)

def counted():
    return sorted((one.company_id, one.reason, one.count) for one in waiting_counts(None, now=now))

def walked():
    found = Counter()
    rows = CallRequest.objects.filter(status__in=OPEN).order_by().values_list("company_id", "hold_reason", "due_at")
    for company_id, hold, due_at in rows.iterator(chunk_size=2000):
        found[company_id, "" if due_at is not None and due_at <= now else hold] += 1
    return sorted((company_id, hold, count) for (company_id, hold), count in found.items())

def scanned():
    with connection.cursor() as cursor:
        cursor.execute("SET enable_indexonlyscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off")
        try:
            return counted()
        finally:
            cursor.execute("RESET ALL")

now = timezone.now()
assert counted() == walked() == scanned()
user = User.objects.create_superuser("root@example.com")
client = Client(SERVER_NAME='localhost')
client.force_login(user)
page = "/admin/requests_app/callrequest/why/"
assert client.get(page).status_code == 200
print(json.dumps({
    "open": sum(count for _company, _reason, count in counted()),
    "ours": timed(counted, 15), "walked": timed(walked, 3), "scanned": timed(scanned, 7),
    "page": timed(lambda: client.get(page), 9),
}))
"""


def main() -> None:
    """Load two databases, take the times, print them."""
    parser = argparse.ArgumentParser(description="The summary of what requests wait for, beside plain counting.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="requests in a database")
    rows = parser.parse_args().rows
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found and not os.environ.get("TEST_POSTGRES_BIN"):
        os.environ["TEST_POSTGRES_BIN"] = str(found[-1].parent)
    with tempfile.TemporaryDirectory() as name:
        server = engines.start_postgres(Path(name))
        try:
            data.make_template(server.url, {})
            taken = [(title, _taken(url)) for title, url in _databases(server.url, rows)]
        finally:
            server.stop()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {rows:,} requests in all; medians, ms.")
    print(f"{'':24}{'open':>10}{'counts':>9}{'page':>8}", end="")
    print(f"{'row by row':>12}{'ratio':>7}{'no index':>10}{'ratio':>7}")
    for title, one in taken:
        mark = "" if one["page"] <= GOAL_MS else "  MISSED"
        print(
            f"{title:24}{one['open']:>10,}{one['ours']:>9.1f}{one['page']:>8.1f}"
            f"{one['walked']:>12.0f}{one['walked'] / one['ours']:>7.0f}"
            f"{one['scanned']:>10.1f}{one['scanned'] / one['ours']:>7.1f}{mark}"
        )


def _databases(server: str, rows: int) -> Iterator[tuple[str, str]]:
    """Title and address of each database: a fifth of the requests open, and every one."""
    for title, name, which in (
        ("one in five is open", "some_open", "id % 5 = 0"),
        ("every one is open", "all_open", "true"),
    ):
        url = urlsplit(server)._replace(path=f"/{name}").geturl()
        template = urlsplit(server).path[1:]
        with psycopg.connect(urlsplit(server)._replace(path="/postgres").geturl(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        _load(url, rows, which=which)
        yield title, url


def _load(url: str, rows: int, *, which: str) -> None:
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SET synchronous_commit = off")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'requests_app_callrequest'"
            " AND indexname NOT LIKE '%_pkey'"
        ).fetchall()
        for index, _definition in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
        connection.execute("ALTER TABLE requests_app_callrequest DISABLE TRIGGER USER")
        connection.execute(data.rows_statement(rows))
        connection.execute(f"UPDATE requests_app_callrequest SET status = 'completed' WHERE NOT ({which})")
        connection.execute(_WAITING.format(which=which))
        for _index, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM (FULL, ANALYZE) requests_app_callrequest")
        connection.execute("VACUUM ANALYZE requests_app_callrequest")


def _taken(url: str) -> dict[str, Any]:
    environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": url, "DATA_DIR": tempfile.gettempdir()}
    done = subprocess.run(
        [sys.executable, "-c", _TAKE], cwd=ROOT, check=True, env=environment, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
