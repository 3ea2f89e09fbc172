"""Callbacks of the carrier: stored per second beside a bare view, and whether applying them keeps up with twice that.

Run:       .venv/bin/python -m bench.webhook [--rounds 5] [--seconds 60] [--quick] [--sqlite]
Storing:   our webhook beside a bare Django view that does one raw INSERT into the same table: the same granian process
           (WSGI, 1 worker, 4 threads), the same middleware, the same connections of `wrk`, taking turns; medians.
           Each turn's p50 and p99 stand below them, and how often the server itself took long: a slow request without a
           slow statement waited in the web process.
Applying:  one process that does what the worker does at each ring of its bell (`news.drain`). First a backlog, for the
           rate that it could reach; then for a minute news come in at twice the stored rate, by one INSERT a second,
           and what is left when they stop is the lag. 3 of 5 calls ring, are answered and hung up; the others ring and
           are busy, and are planned anew; 10 % of the news come twice, 2 % can't be read.
Checked:   at the end every event is applied or set aside as unreadable, and every call ended as it should have.
Read:      the ratios; CPU microseconds per event of the process, and of all of PostgreSQL, are the machine's as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import urllib3

from bench import dialing_rows, webhook_rows
from bench.call_requests_api import name_debians_postgresql
from bench.worker import ENVIRONMENT, ROOT, cpu_of_server
from callcenter.tests import engines

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTIONS: Final = 16
SECRET: Final = "s3cr3t-of-the-benchmark"
# No statement of either side works that long: it waited for the disk, a lock or a processor.
SLOW_MS: Final = 30
RATE_GOAL, LATENCY_GOAL, APPLYING_GOAL = 0.8, 2.0, 2.0
_WRK_SCRIPT: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.body = "%s"
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    latency:percentile(50.0), latency:percentile(99.0),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


def main() -> None:
    """Take the figures and print them."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        name_debians_postgresql()
        server = None if options.sqlite else engines.start_postgres(folder, is_durable=True)
        url = f"sqlite:///{folder / 'bench.sqlite3'}" if server is None else server.url
        try:
            dialing_rows.set_up_django(url, folder)
            line = dialing_rows.make_line(base_url="http://127.0.0.1:9", attendants=1)
            webhook_rows.make_address(line, SECRET)
            print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores,", end=" ")
            print(f"load {os.getloadavg()[0]:.1f}, {'SQLite' if server is None else 'PostgreSQL'}")
            stored = _report_storing(
                url, folder, rounds=options.rounds, seconds=options.round_seconds, threads=options.threads
            )
            if options.backlog:
                _report_applying(line, url, stored=stored, options=options, pid=server.process.pid if server else 0)
        finally:
            from django.db import connection  # noqa: PLC0415  Django is set up in this block

            connection.close()
            if server is not None:
                server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The carrier's webhook, storing and applying.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of storing")
    parser.add_argument("--round-seconds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=4, help="blocking threads of the web server; 4 is the product's")
    parser.add_argument("--backlog", type=int, default=60_000, help="events to apply at once; 0: storing alone")
    parser.add_argument("--seconds", type=int, default=60, help="how long news come in at twice the stored rate")
    parser.add_argument("--rate", type=int, default=0, help="news per second, instead of twice the stored rate")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.round_seconds, options.backlog, options.seconds = 2, 2, 15_000, 8
    return options


def _report_storing(url: str, folder: Path, *, rounds: int, seconds: int, threads: int) -> float:
    """Our stored rate; the median."""
    webhook_rows.log_statements(SLOW_MS)
    port = engines.free_port()
    environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": url, "DATA_DIR": str(folder), "ALLOWED_HOSTS": "*"}
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", str(threads), "--log-level", "warning"]
    process = subprocess.Popen([*command, "bench.webhook_app:application"], cwd=ROOT, env=environment)
    try:
        ours, bare = f"http://127.0.0.1:{port}/webhooks/directcall/{SECRET}", f"http://127.0.0.1:{port}/bare"
        _wait_until_up(ours)
        taken: dict[str, list[_Turn]] = {"bare view": [], "ours": []}
        for number in range(rounds + 1):
            turns = [("bare view", bare), ("ours", ours)]
            for side, address in turns if number % 2 else reversed(turns):
                figures = _driven(address, folder, seconds=seconds if number else 1)
                # The first round warms up.
                if number:
                    taken[side].append(figures)
                webhook_rows.forget_events()
    finally:
        process.terminate()
        process.wait(timeout=30)
    print(f"\nStored per second, and p99 in ms ({CONNECTIONS} connections, {rounds} rounds of {seconds} s each)")
    for side, found in taken.items():
        rates, middles, slowest, _slow = zip(*found, strict=True)
        print(f"  {side:<58}{statistics.median(rates):.0f}, {statistics.median(slowest):.1f}")
        print(f"    {'p50 of each turn':<56}{', '.join(f'{one:.1f}' for one in middles)}")
        print(f"    {'p99 of each turn':<56}{', '.join(f'{one:.1f}' for one in slowest)}")
        title = f"statements that took the server ≥ {SLOW_MS} ms"
        print(f"    {title:<56}{', '.join(str(turn.slow) for turn in found)}")
    pairs = list(zip(taken["ours"], taken["bare view"], strict=True))
    _say(f"rate, ours / bare (≥ {RATE_GOAL})", [one.rate / two.rate for one, two in pairs])
    _say(f"p99, ours / bare (≤ {LATENCY_GOAL})", [one.p99 / two.p99 for one, two in pairs])
    return statistics.median(turn.rate for turn in taken["ours"])


def _say(title: str, ratios: Sequence[float]) -> None:
    print(f"  {title:<58}{statistics.median(ratios):.2f} ({', '.join(f'{one:.2f}' for one in ratios)})", flush=True)


def _wait_until_up(url: str) -> None:
    for _ in range(300):
        try:
            if urllib3.request("GET", url, retries=False, timeout=2).status == 405:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the web server does not answer")


class _Turn(NamedTuple):
    """Requests per second, milliseconds until answered, and how many statements took the server long."""

    rate: float
    p50: float
    p99: float
    slow: int


def _driven(url: str, folder: Path, *, seconds: int) -> _Turn:
    """What one turn measured; every request of it was answered with 200 and stored."""
    slow_before = _slow_statements(folder)
    script = folder / "post.lua"
    script.write_text(_WRK_SCRIPT % webhook_rows.body(1, "chamando"), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    match = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    if match is None or int(match[5]):
        raise RuntimeError(f"not every delivery was taken: {said}")
    requests, microseconds, p50, p99 = map(int, match.groups()[:4])
    # Those that were under way when the time was over are stored, and not counted; let none be left for the next turn.
    time.sleep(1.0)
    if not requests <= webhook_rows.event_count() <= requests + CONNECTIONS:
        raise RuntimeError(f"{requests} answered, {webhook_rows.event_count()} stored")
    return _Turn(requests / microseconds * 1e6, p50 / 1e3, p99 / 1e3, _slow_statements(folder) - slow_before)


def _slow_statements(folder: Path) -> int:
    """How many statements took the server long so far, by its own clock and log."""
    log = folder / "postgres.log"
    return log.read_text(encoding="utf-8", errors="replace").count(" duration: ") if log.exists() else 0


def _report_applying(line: Any, url: str, *, stored: float, options: argparse.Namespace, pid: int) -> None:
    per_call = webhook_rows.EVENTS_PER_CALL
    calls = int(options.backlog / per_call)
    webhook_rows.add_calls(line, first=1, count=calls)
    webhook_rows.add_news(line, first=1, count=calls)
    events = webhook_rows.event_count()
    worker = _ApplyingProcess(url, pid)
    figures = worker.run(seconds=0)
    webhook_rows.check(calls)
    print(f"\nApplied per second by one worker process, {events} events that wait")
    print(f"  {'ours':<58}{figures.rate(events):.0f}")
    print(f"  {'CPU µs per event, of the worker; of the database':<58}{figures.costs(events)}")
    rate = options.rate or APPLYING_GOAL * stored
    each = int(rate / per_call)
    webhook_rows.add_calls(line, first=calls + 1, count=each * options.seconds)
    worker = _ApplyingProcess(url, pid)
    before = webhook_rows.event_count()
    worker.start(seconds=options.seconds)
    began = time.monotonic()
    for second in range(options.seconds):
        webhook_rows.add_news(line, first=calls + 1 + second * each, count=each)
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))
    took, left, fed = time.monotonic() - began, webhook_rows.waiting(), webhook_rows.event_count() - before
    figures = worker.result()
    webhook_rows.check(calls + each * options.seconds)
    print(f"\nNews for {took:.0f} s at {fed / took:.0f} per second ({fed / took / stored:.2f} × the stored rate)")
    print(f"  {'left when they stopped; seconds until it was applied':<58}{left}, {figures.wall - took:.1f}")
    print(f"  {'CPU µs per event, of the worker; of the database':<58}{figures.costs(fed)}")
    print(f"  {f'applied in time / stored (≥ {APPLYING_GOAL})':<58}{(fed - left) / took / stored:.2f}", flush=True)


class _Figures:
    """Seconds on the clock, CPU seconds of the process and of the database."""

    def __init__(self, wall: float, own: float, database: float) -> None:
        self.wall, self.own, self.database = wall, own, database

    def rate(self, events: int) -> float:
        """Events per second on the clock."""
        return events / self.wall

    def costs(self, events: int) -> str:
        """CPU microseconds per event."""
        return f"{self.own / events * 1e6:.0f}; {self.database / events * 1e6:.0f}"


class _ApplyingProcess:
    """The worker: drains at each ring until so many seconds are over and nothing waits."""

    def __init__(self, url: str, server: int) -> None:
        environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": url}
        command = [sys.executable, "-m", "bench.webhook", "apply"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._server = server
        self._before = cpu_of_server(server)

    def start(self, *, seconds: int) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def result(self) -> _Figures:
        """What it took, when it is done."""
        said, _nothing = self._process.communicate(timeout=900)
        wall, own = json.loads(said)
        return _Figures(wall, own, cpu_of_server(self._server) - self._before)

    def run(self, *, seconds: int) -> _Figures:
        """Both."""
        self.start(seconds=seconds)
        return self.result()


def _apply_in_a_process() -> None:
    import django  # noqa: PLC0415

    django.setup()
    from django.utils import timezone  # noqa: PLC0415

    from telephony.services.news import drain  # noqa: PLC0415

    print("ready", flush=True)
    seconds = int(sys.stdin.readline())
    began, own = time.monotonic(), time.process_time()
    while True:
        ring = time.monotonic()
        drain(now=timezone.now())
        if time.monotonic() - began >= seconds and not webhook_rows.waiting():
            break
        # Beat's bell.
        time.sleep(max(0.0, min(1.0, seconds) - (time.monotonic() - ring)))
    print(json.dumps([time.monotonic() - began, time.process_time() - own]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["apply"]:
        _apply_in_a_process()
    else:
        main()
