"""What the attendant's lists cost with a million messages beside ten thousand, and beside django-helpdesk.

Run:       .venv/bin/python -m bench.helpdesk [--messages 10000,1000000] [--rounds 5] [--without-peer]
Measured:  whole requests of the TempBox API through the WSGI application (middleware, token, JSON), CPU time of the
           process and time on the clock, medians over the rounds; the databases take turns. Both sizes have the same
           200 open conversations of 20 messages; the rest is history of other contacts.
Peer:      django-helpdesk's REST ticket list, installed by pip into an environment of its own, over 5,000 tickets in
           the same PostgreSQL: rows a second, all in one page, against ListarEmAberto with 5,000 rows.
Read:      the ratios.
Needs:     PostgreSQL's programs (as bench.call_requests_api), 3 GB of disk, and a package index for the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any, Final

from bench import helpdesk_data as data
from bench import helpdesk_peer as peer
from bench.worker import ENVIRONMENT, ROOT
from callcenter.tests import engines

GROWTH_GOAL: Final = 1.5
PEER_GOAL: Final = 20
PEER_ROWS: Final = 5_000
_TOOK: Final = {"cpu": 0, "clock": 1}


class Server:
    """A process that holds the application on one database and answers calls with what they cost."""

    def __init__(self, url: str, token: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.helpdesk", "--serve", token],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, "DATABASE_URL": url, "DATA_DIR": tempfile.gettempdir(),
                 "ALLOWED_HOSTS": "testserver"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def ask(self, method: str, values: dict[str, Any], times: int) -> tuple[float, float, int]:
        """CPU and clock milliseconds of the median call, and its rows."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, values, times]) + "\n")
        self._process.stdin.flush()
        cpu, clock, rows = json.loads(self._process.stdout.readline())
        return cpu, clock, rows

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def main() -> None:
    """Build the databases, take the figures, print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", default="10000,1000000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--serve", default="")
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve)
        return
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        postgres = engines.start_postgres(Path(name))
        try:
            sizes = [int(text) for text in options.messages.split(",")]
            made = {f"{size:,}": data.make_database(postgres.url, size) for size in sizes}
            _growth(made, rounds=options.rounds)
            if not options.without_peer:
                _peer(postgres.url, Path(name), rounds=options.rounds)
        finally:
            postgres.stop()


def _growth(made: dict[str, data.Made], *, rounds: int) -> None:
    servers = {size: Server(one.url, one.token) for size, one in made.items()}
    small, *_rest, large = made
    print(f"{'CPU ms a call, in brackets on the clock':<42} {small:>18} {large:>18}  ratio")
    for title, method, values in data.CALLS:
        took: dict[str, list[tuple[float, float, int]]] = {size: [] for size in made}
        for _ in range(rounds):
            for size, server in servers.items():
                took[size].append(server.ask(method, made[size].values(values), 10))
        cpu = {size: statistics.median(one[0] for one in found) for size, found in took.items()}
        clock = {size: statistics.median(one[1] for one in found) for size, found in took.items()}
        ratio = clock[large] / clock[small]
        cells = " ".join(f"{cpu[size]:>9.1f} ({clock[size]:>6.1f})" for size in (small, large))
        print(f"{title:<42} {cells}  {ratio:.2f}{'' if ratio <= GROWTH_GOAL else '  <- above ' + str(GROWTH_GOAL)}")
    for server in servers.values():
        server.stop()


def _peer(url: str, folder: Path, *, rounds: int) -> None:
    ours = data.make_database(url, 0, open_ones=PEER_ROWS, name="bench_ours")
    server = Server(ours.url, ours.token)
    clock, rows = min(server.ask("ListarEmAberto", {}, 3)[1:] for _ in range(rounds))
    server.stop()
    assert rows == PEER_ROWS
    environment = folder / "peer"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *peer.PACKAGES], check=True, stderr=subprocess.DEVNULL)
    theirs = peer.measure(python, url, folder, tickets=PEER_ROWS)
    our_rate, their_rate = rows / clock * 1000, theirs.rows / theirs.seconds
    print(f"\nListarEmAberto, {rows:,} rows in one answer of 42 fields: {clock:.0f} ms, {our_rate:,.0f} rows a second")
    print(f"django-helpdesk {theirs.version}, {theirs.rows:,} rows in one page: "
          f"{theirs.seconds * 1000:.0f} ms, {their_rate:,.0f} rows a second")  # fmt: skip
    print(f"Ratio: {our_rate / their_rate:.0f} (goal {PEER_GOAL})")


def _serve(token: str) -> None:
    """The process's end: one line of JSON in, one out."""
    import django  # noqa: PLC0415 - its settings come from the environment of this process

    django.setup()
    from django.test import Client  # noqa: PLC0415

    client = Client()
    for line in sys.stdin:
        method, values, times = json.loads(line)
        query = {"token": token, "json": json.dumps(values)}
        took = []
        for _ in range(times):
            before = time.process_time(), time.perf_counter()
            response = client.post(f"/api/Atendimento/{method}", query_params=query)
            took.append((time.process_time() - before[0], time.perf_counter() - before[1]))
        body = response.json()
        assert body["Code"] == 200, body
        figures = [statistics.median(one[at] for one in took) * 1000 for at in _TOOK.values()]
        print(json.dumps([*figures, len(body["Data"])]), flush=True)


if __name__ == "__main__":
    main()
