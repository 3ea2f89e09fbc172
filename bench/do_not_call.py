"""What it costs to ask whether a number is on a do-not-call list of millions, and to read such a list in.

Run:       .venv/bin/python -m bench.do_not_call [--numbers 5000000] [--imported 500000] [--rounds 2000]
Measured:  on PostgreSQL, in one process: the lists that one number is on (`lists_of`); the whole decision about one
           number and about 1,000 at once (`judged`: lists, authorisations, the day's calls, preferences, evidence,
           every rule); reading a file of numbers into a list. Half of the numbers asked for are listed.
Against:   a table of plain numbers with a primary key, asked by the bare driver for one number, and for 1,000 by ANY.
Rows:      `--imported` of them come through the real import; the rest are random digests, made by the database.
Read:      p50 and p99 in milliseconds on the clock and of CPU (this process and its PostgreSQL backend together); the
           ratio of the medians. The goal: one number under 2 ms. On a busy machine the clock measures the others.
Needs:     PostgreSQL's programs: Debian's, or TEST_POSTGRES_BIN, or the wheel of requirements-dev.txt. 2 GB of disk.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import django
import psycopg

from bench.worker import ENVIRONMENT, cpu_seconds
from callcenter.tests import engines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOAL_MILLISECONDS: Final = 2.0
BATCH: Final = 1000
_FIRST: Final = 10_000_000


def main() -> None:
    """Fill the lists, take the figures, print them."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        server = engines.start_postgres(Path(name))
        try:
            os.environ.update({**ENVIRONMENT, "DATABASE_URL": server.url, "DATA_DIR": name})
            django.setup()
            _measure(options, server.url)
        finally:
            server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=5_000_000)
    parser.add_argument("--imported", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=2000)
    return parser.parse_args()


def _measure(options: argparse.Namespace, url: str) -> None:
    # Django is ready only now.
    from django.core.management import call_command  # noqa: PLC0415

    from callcenter.accounts.models import Company  # noqa: PLC0415
    from telephony.models import DialerLine  # noqa: PLC0415
    from telephony.services.do_not_call import lists_of  # noqa: PLC0415
    from telephony.services.permission import Number, judged  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    line = DialerLine.objects.create(
        company=Company.objects.create(name="Bench"), name="Bench", base_url="http://127.0.0.1:9", device="1",
        activity="telemarketing",
    )  # fmt: skip
    _fill(options, url)
    from django.utils import timezone  # noqa: PLC0415

    now = timezone.now()
    pick = random.Random(7)

    def phone() -> str:
        # Listed numbers and as many that are not.
        return _phone(pick.randrange(options.imported * 2))

    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as bare:
        asked: dict[str, tuple[Callable[[], Any], int]] = {
            "bare driver, plain numbers, one": (lambda: _plain(bare, [phone()]), options.rounds),
            "lists of one number": (lambda: lists_of(phone(), scope=None), options.rounds),
            "whole decision, one number": (lambda: judged([Number(phone())], line=line, now=now), options.rounds),
            f"bare driver, plain numbers, {BATCH}": (lambda: _plain(bare, [phone() for _ in range(BATCH)]), 60),
            f"whole decision, {BATCH} numbers": (
                lambda: judged([Number(phone()) for _ in range(BATCH)], line=line, now=now),
                60,
            ),
        }
        medians = {name: _told(name, work, times) for name, (work, times) in asked.items()}
    one, whole = medians["lists of one number"], medians["whole decision, one number"]
    print(f"load {os.getloadavg()[0]:.0f};", end=" ")
    print(f"ratio to the bare driver: lists {one / medians['bare driver, plain numbers, one']:.1f},", end=" ")
    batch, plain = medians[f"whole decision, {BATCH} numbers"], medians[f"bare driver, plain numbers, {BATCH}"]
    print(f"decision of {BATCH} {batch / plain:.1f}; a number in a batch costs {batch / BATCH * 1000:.0f} µs")
    print(
        f"one number under {GOAL_MILLISECONDS} ms: {'met' if one < GOAL_MILLISECONDS else 'MISSED'} ({one:.2f});",
        end=" ",
    )
    print(f"the whole decision: {whole:.2f}")


def _fill(options: argparse.Namespace, url: str) -> None:
    from django.utils import timezone  # noqa: PLC0415

    from telephony.services.do_not_call import list_for  # noqa: PLC0415
    from telephony.services.number_imports import read_into, start_import  # noqa: PLC0415

    target = list_for("procon_sp", company_id=None)
    rest = options.numbers - options.imported
    with psycopg.connect(url, autocommit=True) as bare:
        _without_indexes(
            bare,
            "INSERT INTO telephony_donotcallentry (list_id, number_digest, listed_on, added_at, reason, seen_in_id)"
            f" SELECT {target.pk}, gen_random_uuid(), current_date, now(), '', 0 FROM generate_series(1, {rest})",
        )
        bare.execute(
            f"CREATE TABLE plain AS SELECT '+55119' || ({_FIRST} + n) AS number"
            f" FROM generate_series(0, {options.numbers} - 1) n"
        )
        bare.execute("ALTER TABLE plain ADD PRIMARY KEY (number)")
        bare.execute("VACUUM ANALYZE")
    one = start_import(
        target, file_name="bench", listed_on=timezone.localdate(), replaces=False, actor=None, now=timezone.now()
    )
    began = time.perf_counter()
    done = read_into(one.pk, _lines(options.imported))
    seconds = time.perf_counter() - began
    rate = done.lines / seconds
    print(f"{options.numbers} numbers; import: {done.added} new of {done.lines} lines, {rate:,.0f} lines/s")
    with psycopg.connect(url, autocommit=True) as bare:
        bare.execute("VACUUM ANALYZE telephony_donotcallentry")


def _without_indexes(bare: psycopg.Connection[Any], insert: str) -> None:
    """Fill the table of entries; its constraints are taken away for that and made again."""
    table = "telephony_donotcallentry"
    found = bare.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
        " AND contype IN ('u', 'f')",
        [table],
    ).fetchall()
    for name, _definition in found:
        bare.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    bare.execute(insert)
    for name, definition in found:
        bare.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _lines(count: int) -> Iterator[bytes]:
    return (f"{_phone(n)}\n".encode() for n in range(count))


def _phone(number: int) -> str:
    return f"+55119{_FIRST + number}"


def _plain(bare: psycopg.Connection[Any], phones: list[str]) -> Any:
    return bare.execute("SELECT number FROM plain WHERE number = ANY(%s)", [phones]).fetchall()


def _told(name: str, work: Callable[[], Any], times: int) -> float:
    """The median in milliseconds of so many goes; printed with the 99th percentile and the same of CPU."""
    for _warm in range(20):
        work()
    taken, cost = [], []
    for _go in range(times):
        spent, began = cpu_seconds(), time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
        cost.append((cpu_seconds() - spent) * 1000)
    told = [f"p50 {statistics.median(one):7.2f} ms   p99 {_slow(one):7.2f} ms" for one in (taken, cost)]
    print(f"{name:36} {told[0]}   CPU {told[1]}")
    return statistics.median(taken)


def _slow(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99)]


if __name__ == "__main__":
    main()
