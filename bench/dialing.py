"""Calls placed per second, beside a bare thread pool; and claims per second, from ten thousand to a million due rows.

Run:       .venv/bin/python -m bench.dialing [--calls 2000] [--rounds 5] [--rows 10000,100000,1000000] [--quick]
Measured:  placing: `claim_due_calls` and `place_calls`, in this one process: claims, rules, intents, POSTs, answers,
           ledgers, all committed by a PostgreSQL that waits for its disk. 1 line, 50 calls at once.
           claiming: `claim_due_calls` alone, in batches of 1,000.
Against:   the same POSTs by the same library (urllib3) from a bare pool of 50 threads that keeps no record: over kept
           connections, as fast as they go, and over a new connection for each.
The PABX:  the simulator, in a process of its own, answering after 50 ms.
One session: the sides take turns, round by round; figures are medians.
Read:      the ratios; on a busy machine the figures of a round go up and down together.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import urllib3

from bench import dialing_rows as rows
from bench.call_requests_api import name_debians_postgresql
from bench.worker import ROOT, cpu_of_server, cpu_seconds
from callcenter.tests import engines
from telephony.tests.simulators.running import SimulatorProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telephony.models import DialerLine

AT_ONCE: Final = 50
BATCH: Final = 1_000
WARMING_UP: Final = 4
WORKERS: Final = 8
PLACING_GOAL, CLAIMING_GOAL, GROWTH_GOAL = 0.6, 10_000, 1.5


def main() -> None:
    """Take the figures and print them."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        name_debians_postgresql()
        server = engines.start_postgres(folder, is_durable=True)
        simulator = SimulatorProcess("digitro", "--port", "0", "--answer-delay-ms", "50")
        try:
            rows.set_up_django(server.url, folder)
            line = rows.make_line(base_url=simulator.url, attendants=max(options.calls, BATCH))
            print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores,", end=" ")
            print(f"load {os.getloadavg()[0]:.1f}")
            _report_placing(
                _Machine(server.process.pid, simulator.pid), line, calls=options.calls, rounds=options.rounds
            )
            rows.empty()
            _report_claiming(line, [int(text) for text in options.rows.split(",")], batches=options.batches)
        finally:
            from django.db import connection  # noqa: PLC0415  Django is set up in this block

            connection.close()
            simulator.stop()
            server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Dialing beside a bare thread pool.")
    parser.add_argument("--calls", type=int, default=2_000, help="calls a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default="10000,100000,1000000", help="due requests to claim from")
    parser.add_argument("--batches", type=int, default=8, help="batches of 1,000 to claim at each size")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.rounds, options.rows, options.batches = 500, 2, "10000,50000", 3
    return options


@dataclass(frozen=True)
class _Machine:
    """The processes beside this one, by id."""

    server: int
    simulator: int

    def taken(self, calls: int, place: Callable[[], None]) -> _Taken:
        """What placing these calls takes."""
        before, began = self._cpu(), time.perf_counter()
        place()
        seconds = time.perf_counter() - began
        return _Taken(
            calls / seconds, *((now - then) * 1e3 / calls for now, then in zip(self._cpu(), before, strict=True))
        )

    def _cpu(self) -> tuple[float, float, float]:
        return time.process_time(), cpu_of_server(self.server), cpu_of_server(self.simulator)


class _Taken(NamedTuple):
    """Calls per second; and the CPU milliseconds of one call: this process, PostgreSQL, the simulator."""

    rate: float
    own: float
    server: float
    simulator: float


def _report_placing(machine: _Machine, line: DialerLine, *, calls: int, rounds: int) -> None:
    found: dict[str, list[_Taken]] = {}
    ratios: list[float] = []
    for number in range(rounds + 1):
        first = 1 + number * calls
        rows.add_due(line, range(first, first + calls))
        taken = {
            "bare pool, kept connections": machine.taken(calls, lambda: _bare(line, calls, is_kept=True)),
            "bare pool, a connection each": machine.taken(calls, lambda: _bare(line, calls, is_kept=False)),
            "ours": machine.taken(calls, lambda: _ours(line, calls)),
        }
        _check_placed(calls)
        rows.end_calls()
        # The first round warms up.
        if number:
            for side, one in taken.items():
                found.setdefault(side, []).append(one)
            ratios.append(taken["ours"].rate / taken["bare pool, kept connections"].rate)
    print(
        f"\nCalls placed per second ({calls} a round, {rounds} rounds); CPU ms a call: process, PostgreSQL, simulator"
    )
    print(rows.lines_of([(side, _medians(one)) for side, one in found.items()]))
    ratio = statistics.median(ratios)
    by_round = ", ".join(f"{one:.2f}" for one in ratios)
    print(rows.lines_of([(f"ours / bare pool with kept connections (≥ {PLACING_GOAL})", f"{ratio:.2f} ({by_round})")]))


def _medians(taken: Sequence[_Taken]) -> str:
    rate, *cpu = (statistics.median(column) for column in zip(*taken, strict=True))
    return f"{rate:.0f};  " + "  ".join(f"{one:.2f}" for one in cpu)


def _ours(line: DialerLine, calls: int) -> None:
    from django.utils import timezone  # noqa: PLC0415

    from telephony.services.dialing import claim_due_calls  # noqa: PLC0415
    from telephony.services.placing import place_calls  # noqa: PLC0415

    placed = 0
    while placed < calls:
        ids = claim_due_calls(line.pk, now=timezone.now())
        if not ids:
            raise RuntimeError(f"only {placed} of {calls} calls could be claimed")
        place_calls(ids)
        placed += len(ids)


def _check_placed(calls: int) -> None:
    found = {state: number for state, number in rows.states().items() if state != "ended"}
    if found != {"placed": calls}:
        raise RuntimeError(f"not every call was placed: {found}")


def _bare(line: DialerLine, calls: int, *, is_kept: bool) -> None:
    from telephony.providers.digitro import wire  # noqa: PLC0415
    from telephony.services.lines import access_of  # noqa: PLC0415

    access = access_of(line)
    body = wire.encoded_body(wire.predictive_call_body(access, phone_e164="+5511987654350", data="0" * 32))
    headers = {**wire.request_headers(access.api_key), **({} if is_kept else {"Connection": "close"})}
    path = wire.request_path(access.channel_id, wire.PREDICTIVE_CALL_SLUG)
    address = urllib3.util.parse_url(line.base_url)
    pool = urllib3.HTTPConnectionPool(address.host or "", address.port, maxsize=AT_ONCE, timeout=10)

    def post(_number: int) -> None:
        answer = pool.urlopen("POST", path, body=body, headers=headers, retries=False)
        if answer.status != 200:
            raise RuntimeError(f"the simulator answered {answer.status}")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(post, range(calls)))
    pool.close()


def _report_claiming(line: DialerLine, sizes: list[int], *, batches: int) -> None:
    print(f"\nClaims per second, one worker, batches of {BATCH:,}; milliseconds of CPU for each 1,000 claims")
    found: list[float] = []
    made = claimed = 0
    for size in sizes:
        # So many are due when the measured batches begin.
        wanted = size + claimed + WARMING_UP * BATCH
        rows.add_due(line, range(made + 1, wanted + 1))
        made, claimed = wanted, claimed + (WARMING_UP + batches) * BATCH
        # The first ones read what the database has on its disk, and have their statements prepared.
        taken = [_claims(line) for _ in range(WARMING_UP + batches)][WARMING_UP:]
        found.append(statistics.median(rate for rate, _cpu in taken))
        cpu = statistics.median(cpu for _rate, cpu in taken)
        figures = f"{found[-1]:,.0f}; {cpu:.0f} ms, so at most {BATCH / cpu * 1e3:,.0f} a second"
        print(rows.lines_of([(f"from {size:,} due requests", figures)]), flush=True)
    goal = f"at the largest (≥ {CLAIMING_GOAL:,}); {sizes[0]:,} → {sizes[-1]:,} (≤ {GROWTH_GOAL} ×)"
    print(rows.lines_of([(goal, f"{found[-1]:,.0f}; {found[0] / found[-1]:.2f} ×")]))
    _report_eight(line)


def _claims(line: DialerLine) -> tuple[float, float]:
    """Claims per second, and the CPU milliseconds of this process and its backend for a thousand, of one batch."""
    from django.utils import timezone  # noqa: PLC0415

    from telephony.services.dialing import claim_due_calls  # noqa: PLC0415

    now = timezone.now()
    spent, began = cpu_seconds(), time.perf_counter()
    claimed = len(claim_due_calls(line.pk, now=now))
    seconds, spent = time.perf_counter() - began, cpu_seconds() - spent
    rows.end_calls()
    if claimed < BATCH:
        raise RuntimeError(f"only {claimed} could be claimed: fewer --batches, or more --rows")
    return claimed / seconds, spent / claimed * 1e6


def _report_eight(line: DialerLine) -> None:
    """Eight processes claim from the same rows at once; the attendants are enough for some rounds of each."""
    from telephony.models import CallAttempt, DialerLine  # noqa: PLC0415

    DialerLine.objects.update(max_calls_at_once=BATCH * 2 // 3)
    command = [sys.executable, "-m", "bench.dialing", "claim", str(line.pk)]
    before = CallAttempt.objects.count()
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)]
    claimed: list[int] = []
    for process in processes:
        said, _nothing = process.communicate(timeout=120)
        claimed += json.loads(said)
    requests = CallAttempt.objects.filter(pk__in=claimed).values_list("call_request_id", flat=True)
    twice = [request for request, times in Counter(requests).items() if times > 1]
    made = CallAttempt.objects.count() - before
    figures = [
        (f"{WORKERS} workers at once: claims, rows, claimed twice (0)", f"{len(claimed)}, {made}, {len(twice)}"),
        ("more than the line's limit open at once (0)", max(0, len(claimed) - BATCH * 2 // 3)),
    ]
    print(rows.lines_of(figures))


def _claim_in_a_process(line_id: int) -> None:
    """One of the eight: claims as often as it can, ten times, and says which attempts it got."""
    import django  # noqa: PLC0415

    django.setup()
    from django.utils import timezone  # noqa: PLC0415

    from telephony.services.dialing import claim_due_calls  # noqa: PLC0415

    claimed: list[Any] = []
    for _ in range(10):
        claimed += claim_due_calls(line_id, now=timezone.now())
    print(json.dumps(claimed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["claim"]:
        _claim_in_a_process(int(sys.argv[2]))
    else:
        main()
