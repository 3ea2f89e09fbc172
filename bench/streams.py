"""How fast a message reaches one of 500 open streams, and whether the rest notices that they are open.

Run:       .venv/bin/python -m bench.streams [--streams 500] [--messages 300] [--probes 150]
Measured:  web and streams as granian processes on PostgreSQL; the time from before a visitor's POST to the line in that
           conversation's stream; `/healthz` and TempBox's `Listar` by HTTP, in rounds without and with the open streams
           while messages are written.
Against:   the same two requests in the same processes before the streams are opened.
Needs:     PostgreSQL's programs: Debian's, or TEST_POSTGRES_BIN, or the wheel of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Final

from bench.worker import ENVIRONMENT, ROOT
from callcenter.tests import engines

SECONDS: Final = 60
UNLIMITED: Final = {
    f"CHAT_{name}": "0"
    for name in (
        "CALLS_PER_MINUTE_PER_ADDRESS",
        "OPENINGS_PER_HOUR_PER_ADDRESS",
        "MESSAGES_PER_MINUTE_PER_CONVERSATION",
    )
}


def main() -> None:
    """Build the database, start the processes, take the figures, print them."""
    parser = argparse.ArgumentParser(description="Open streams of the site chat.")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--probes", type=int, default=150)
    options = parser.parse_args()
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        os.environ.setdefault("TEST_POSTGRES_BIN", str(found[-1].parent))
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        server = engines.start_postgres(Path(name))
        web, streams = engines.free_port(), engines.free_port()
        os.environ.update(ENVIRONMENT, **UNLIMITED, DATABASE_URL=server.url, DATA_DIR=name)
        programs: list[subprocess.Popen[bytes]] = []
        try:
            keys, token = _filled(options.streams)
            programs = [_started("wsgi", web, "--blocking-threads", "4"), _started("asgi", streams)]
            _wait_for(web, streams)
            asyncio.run(_measured(options, keys, token, (web, streams)))
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait(timeout=SECONDS)
            server.stop()


def _filled(count: int) -> tuple[list[str], str]:
    """The hashes of so many conversations, and a token of the API."""
    import django  # noqa: PLC0415  the database is known only now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from callcenter.accounts.models import Company, User  # noqa: PLC0415
    from helpdesk.models import Channel, Contact  # noqa: PLC0415
    from helpdesk.services.tokens import issue_token  # noqa: PLC0415
    from helpdesk.services.writing import receive_message  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    company = Company.objects.create(name="Loja")
    user = User.objects.create_user("bench@loja.example", "x")
    token = issue_token(user, [company], name="bench").secret
    channel = Channel.objects.create(
        company=company, platform=1, title="Site", reference_code="site", adapter="site_chat"
    )
    keys = []
    for number in range(count):
        contact = Contact.objects.create(company=company, name=f"Visitante {number}")
        keys.append(str(receive_message(contact, channel, text="Oi", now=timezone.now()).atendimento.hash))
    connection.close()
    return keys, token


def _started(interface: str, port: int, *more: str) -> subprocess.Popen[bytes]:
    words = ["granian", "--interface", interface, "--http", "1", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--workers", "1", "--log-level", "warning", *more]
    words += ["--backpressure", "6000"] if interface == "asgi" else []
    return subprocess.Popen([sys.executable, "-m", *words, f"callcenter.{interface}:application"], cwd=ROOT)


def _wait_for(*ports: int) -> None:
    ends = time.monotonic() + SECONDS
    for port in ports:
        while True:
            try:
                _asked(port, "GET", "/healthz")
                break
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.2)


def _asked(port: int, method: str, path: str, body: Any = None) -> float:
    """The seconds that one request took."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        if response.status >= 300:
            raise RuntimeError(f"{path}: {response.status}")
    finally:
        connection.close()
    return time.perf_counter() - began


async def _measured(options: argparse.Namespace, keys: list[str], token: str, ports: tuple[int, int]) -> None:
    web, streams = ports
    probes = {"/healthz": ("GET", "/healthz"), "Listar": ("POST", f"/api/Atendimento/Listar?token={token}")}

    def probe() -> dict[str, list[float]]:
        for method, path in probes.values():
            _asked(web, method, path)
        taken: dict[str, list[float]] = {name: [] for name in probes}
        for _ in range(options.probes):
            for name, (method, path) in probes.items():
                taken[name].append(_asked(web, method, path))
        return taken

    before = await asyncio.to_thread(probe)
    heard: dict[tuple[str, str], float] = {}
    opened = asyncio.Semaphore(0)
    began = time.perf_counter()
    readers = [asyncio.create_task(_read(streams, key, opened, heard)) for key in keys]
    for _ in readers:
        await asyncio.wait_for(opened.acquire(), SECONDS)
    opening = time.perf_counter() - began
    during = asyncio.create_task(asyncio.to_thread(probe))
    sent: dict[tuple[str, str], float] = {}
    for number in range(options.messages):
        name, key = str(uuid.uuid4()), keys[number * 7 % len(keys)]
        sent[key, name] = time.perf_counter()
        await asyncio.to_thread(_asked, web, "POST", f"/chat/{key}/mensagens", {"id": name, "mensagem": name})
        await asyncio.sleep(0.02)
    after = await during
    ends = time.monotonic() + SECONDS
    while not sent.keys() <= heard.keys() and time.monotonic() < ends:
        await asyncio.sleep(0.05)
    broken = sum(reader.done() for reader in readers)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    waits = sorted(1000 * (heard[name] - at) for name, at in sent.items() if name in heard)
    strays = len(heard) - len(waits) - len(keys)
    print(f"{len(keys)} streams opened in {opening:.1f} s; {broken} ended by themselves")
    p99 = waits[int(len(waits) * 0.99) - 1]
    print(f"{len(waits)} of {len(sent)} messages heard in their stream, {strays} in another one")
    print(f"from POST to stream: median {statistics.median(waits):.0f} ms, p99 {p99:.0f} ms")
    for name in probes:
        without, with_ = (1000 * statistics.median(taken[name]) for taken in (before, after))
        print(f"{name}: median {without:.1f} ms without, {with_:.1f} with streams and writers: {with_ / without:.2f} x")


async def _read(port: int, key: str, opened: asyncio.Semaphore, heard: dict[tuple[str, str], float]) -> None:
    """Note when each message came, and in whose stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /chat/{key}/eventos HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    is_open = False
    try:
        while line := await reader.readline():
            if line.startswith(b"data: ") and b'"texto"' in line:
                heard.setdefault((key, json.loads(line[6:])["texto"]), time.perf_counter())
                if not is_open:
                    is_open = True
                    opened.release()
    finally:
        writer.close()


if __name__ == "__main__":
    main()
