"""What the call-request APIs cost, beside the plain way to build them, at growing numbers of rows.

Run:       .venv/bin/python -m bench.call_requests_api [--rows 10000,100000,1000000] [--rounds 12] [--quick]
Measured:  whole requests through the WSGI application (middleware, log-in by key, permissions, JSON), in one process a
           database. A request's cost is the CPU time of that process and of its PostgreSQL backend together: on a busy
           machine it repeats within a tenth, which the time on the clock (in brackets) does not. On SQLite it is the
           process's own; where there is no /proc, the time on the clock.
Against:   `bench.plain_api`: ModelViewSet, ModelSerializer, django-filter, PageNumberPagination, over the same table,
           indexes and triggers, behind the same middleware and the same log-in. It computes the number to dial and the
           first call's time and writes the ledger, as ours does, and knows nothing of webhooks and repetitions.
Not in it: HTTP itself and the counters of calls per minute (off on both sides); the disk (fsync is off).
Rows:      made by the database from hashes of their numbers, hence the same everywhere; five companies, two years.
Read:      the ratios. "SQL alone" repeats the statements of one request on a bare driver.
One session: all databases and both sides take turns, round by round; figures are medians.
Needs:     PostgreSQL's programs: Debian's, or TEST_POSTGRES_BIN, or the wheel of requirements-dev.txt. 3 GB of disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench import call_requests_data as data
from bench.worker import Answer, Call, Worker
from callcenter.tests import engines

OURS: Final = "/api/2.0/call_requests"
PLAIN: Final = "/plain/call_requests"
OPERATOR, SHOP = "operator@example.com", "shop@example.com"
GROWTH_GOAL: Final = 1.5

# What is asked for, the query, and whether only the plain side is asked less often because it takes so long.
LISTS: Final = {
    "page 1, status=new, by date": "items_per_page=50&status=new",
    "page 1, everything, by date": "items_per_page=50",
    "name of one customer": f"items_per_page=50&name={data.RARE_NAME.replace(' ', '%20')}",
    "phone of one customer": f"items_per_page=50&phone={data.RARE_PHONE}",
    "common name, the first time": f"items_per_page=50&name={data.COMMON_NAME}",
    "common name, within a minute": f"items_per_page=50&name={data.COMMON_NAME}",
    "page 10,000 (or the last)": "page=10000",
    "one request": "",
}
BODY: Final = b'{"phone": "(11) 98765-4321", "name": "Api"}'
BODY_PLAIN: Final = b'{"phone": "(11) 98765-4321", "name": "Api", "company": 1}'


def main() -> None:
    """Build the databases, take the figures, print them."""
    options = _options()
    sizes = [2_000, 20_000] if options.quick else sorted(int(text) for text in options.rows.split(","))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        name_debians_postgresql()
        server = engines.start_postgres(folder)
        workers: dict[str, Worker] = {}
        try:
            keys = data.make_template(server.url, {OPERATOR: False, SHOP: True})
            for rows in sizes:
                started = time.monotonic()
                workers[f"{rows:,}"] = Worker(data.make_database(server.url, rows), keys)
                print(f"{rows:>9,} rows loaded in {time.monotonic() - started:.0f} s", flush=True)
            sqlite_rows = min(sizes[-1], 100_000)
            near = min(sizes, key=lambda rows: abs(rows - sqlite_rows))
            workers["SQLite"] = Worker(data.copy_to_sqlite(server.url, near, folder), keys)
            _report(workers, sizes, near, rounds=2 if options.quick else options.rounds)
        finally:
            for worker in workers.values():
                worker.stop()
            server.stop()
    print(f"\nTook {time.monotonic() - began:.0f} s.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The call-request APIs beside the plain way to build them.")
    parser.add_argument("--rows", default="10000,100000,1000000", help="sizes of the databases")
    parser.add_argument("--rounds", type=int, default=12, help="how often all take a turn")
    parser.add_argument("--quick", action="store_true", help="2,000 and 20,000 rows, two rounds")
    return parser.parse_args()


def name_debians_postgresql() -> None:
    """Take Debian's PostgreSQL where it is installed and no other was named."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found and not os.environ.get("TEST_POSTGRES_BIN"):
        os.environ["TEST_POSTGRES_BIN"] = str(found[-1].parent)


def _calls(rows: int) -> dict[str, tuple[Call, Call]]:
    """Ours and the plain one of each case."""
    calls = {}
    for title, query in LISTS.items():
        item = f"/{rows // 2}" if title == "one request" else ""
        last = f"page={min(10_000, rows // 10)}" if title.startswith("page 10,000") else query
        is_first = title.endswith("first time")
        calls[title] = (
            Call("GET", OURS + item, query, OPERATOR, is_first=is_first),
            Call("GET", PLAIN + item, last, OPERATOR),
        )
    calls["POST"] = Call("POST", OURS, "", SHOP, BODY), Call("POST", PLAIN, "", SHOP, BODY_PLAIN)
    return calls


def _report(workers: dict[str, Worker], sizes: list[int], sqlite_rows: int, *, rounds: int) -> None:
    rows_of = {**{f"{rows:,}": rows for rows in sizes}, "SQLite": sqlite_rows}
    taken: dict[tuple[str, str, str], list[Answer]] = {}
    for number in range(rounds + 1):
        for where, worker in workers.items():
            calls = _calls(rows_of[where])
            # A process that slept while the others took their turn wakes up first.
            for call in calls["one request"]:
                worker.take(call, times=3)
            for title, pair in calls.items():
                for side, call in zip(("ours", "plain"), pair, strict=True):
                    # A search of the plain way over a million rows: three turns say enough.
                    if side == "plain" and number > 3 and title.startswith(("name", "phone", "common", "page 10,000")):
                        continue
                    answers = worker.take(call, times=5 if side == "ours" else 3)
                    # The first round warms caches and prepared statements.
                    if number:
                        taken.setdefault((where, title, side), []).extend(answers)
    alone = {title: workers[f"{sizes[0]:,}"].sql_alone(pair[0]) for title, pair in _calls(sizes[0]).items()}
    largest = {title: workers[f"{sizes[-1]:,}"].sql_alone(pair[0]) for title, pair in _calls(sizes[-1]).items()}
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {workers[f'{sizes[0]:,}'].engine()},")
    print(f"{os.cpu_count()} cores ({_processor()}), load {os.getloadavg()[0]:.1f}; {rounds} rounds.")
    _print_growth(taken, sizes)
    for rows in (sizes[0], sizes[-1]):
        _print_sides(taken, f"{rows:,}", alone if rows == sizes[0] else largest)
    _print_sides(taken, "SQLite", {}, note=f" with {sqlite_rows:,} rows")


def _print_growth(taken: dict[tuple[str, str, str], list[Answer]], sizes: list[int]) -> None:
    head = "".join(f"{rows:>18,}" for rows in sizes)
    print(f"\nGrowth, ours: ms of CPU (ms on the clock)\n{'':30}{head}   last / first   plain's")
    for title in LISTS:
        figures = [_median(taken[f"{rows:,}", title, "ours"]) for rows in sizes]
        plain = [_median(taken[f"{rows:,}", title, "plain"]) for rows in (sizes[0], sizes[-1])]
        ratio = figures[-1].cost / figures[0].cost
        mark = "" if ratio <= GROWTH_GOAL else "  MISSED"
        shown = "".join(f"{figure.cost:>9.2f} ({figure.clock:5.2f}) " for figure in figures)
        print(f"{title:30}{shown}   {ratio:>8.2f}     {plain[1].cost / plain[0].cost:>7.1f}{mark}")


def _print_sides(
    taken: dict[tuple[str, str, str], list[Answer]], where: str, alone: dict[str, Answer], *, note: str = " rows"
) -> None:
    goals = {"page 1, everything, by date": 4.0, "page 1, status=new, by date": 4.0, "one request": 2.0, "POST": 2.0}
    print(f"\n{where}{note}: ms of CPU (ms on the clock)\n{'':30}{'ours':>17}{'plain':>21}{'plain / ours':>14}", end="")
    print(f"{'SQL alone':>12}{'ours / SQL':>12}" if alone else "")
    for title in (*LISTS, "POST"):
        ours, plain = _median(taken[where, title, "ours"]), _median(taken[where, title, "plain"])
        ratio = plain.cost / ours.cost
        mark = "  MISSED" if alone and ratio < goals.get(title, 0) else ""
        line = f"{title:30}{ours.cost:>8.2f} ({ours.clock:6.2f}){plain.cost:>11.2f} ({plain.clock:7.2f}){ratio:>12.1f}"
        if alone:
            line += f"{alone[title].cost:>12.2f}{ours.cost / alone[title].cost:>12.1f}"
        print(line + mark)


def _median(answers: list[Answer]) -> Answer:
    return Answer(statistics.median(one.cost for one in answers), statistics.median(one.clock for one in answers))


def _processor() -> Any:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
