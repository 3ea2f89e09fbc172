"""The environment a test run gets before Django loads: dummy secrets, folders of its own, the engines of its half.

`TEST_ENGINES` says which half: `embedded` (SQLite in a file, broker in files; the default) or `servers` (PostgreSQL
and Redis, started from wheels unless `DATABASE_URL` / `REDIS_URL` name others). Nothing of a developer's `.env` or
exported settings is read. Under pytest-xdist every worker has its own database, broker folder and Redis prefix.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from callcenter.tests import engines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMITS: Final = (
    "API_CALLS_PER_MINUTE_PER_KEY",
    "API_CALLS_PER_MINUTE_PER_ADDRESS",
    "FAILED_LOGINS_PER_ADDRESS_AND_EMAIL",
    "FAILED_LOGINS_PER_ADDRESS",
)
# The database that the tests' own are copies of.
TEMPLATE: Final = "test_callcenter"
# Good for nothing but tests: 32 zero bytes, and texts that say so.
DUMMY_SECRETS: Final = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
    "TOKEN_PEPPER": "only-for-tests-pepper-0123456789-abcdef",
    "FIELD_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}


@dataclass
class Run:
    """What a test run holds until its end: the folder that everything lies in, and the servers it started."""

    folder: Path
    # Its name among the xdist workers; empty in their controller, and without xdist.
    worker: str
    half: str
    started: list[engines.Engine] = field(default_factory=list)

    @property
    def is_worker(self) -> bool:
        """Whether the engines and the folder are those of a controller."""
        return bool(self.worker)

    def engine_versions(self) -> str:
        """The engines of this half, for people."""
        return engines.versions(os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", ""))

    def close(self) -> None:
        """Stop the servers and remove the folder; nothing in an xdist worker, whose controller does it."""
        if self.is_worker:
            return
        if self.half == "servers":
            _drop_template()
        for engine in self.started:
            engine.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def prepare() -> Run:
    """Set the process environment for this run and start what its half needs.

    Errors: `ValueError` for an unknown `TEST_ENGINES`; `EngineError` when a server does not start.
    """
    half = os.environ.get("TEST_ENGINES", "embedded")
    if half not in {"embedded", "servers"}:
        raise ValueError("TEST_ENGINES must be embedded or servers.")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    named = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    for name in documented_variables():
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    if worker:
        run = Run(Path(os.environ["TEST_RUN_DIR"]), worker, half)
    else:
        run = Run(Path(tempfile.mkdtemp(prefix="callcenter-test-")), "", half)
        os.environ["TEST_RUN_DIR"] = str(run.folder)
    if half == "servers":
        try:
            _point_to_servers(run, named)
        except BaseException:
            run.close()
            raise
    data = run.folder / (worker or "data")
    data.mkdir(exist_ok=True)
    os.environ.update(
        DUMMY_SECRETS,
        DJANGO_SETTINGS_MODULE="callcenter.settings",
        ENV_FILE="",
        DATA_DIR=str(data),
        REDIS_KEY_PREFIX=f"{run.folder.name}-{worker or 'main'}:",
        LOG_LEVEL="WARNING",
        # Counted in every test, but out of the reach of those that are not about them.
        **dict.fromkeys(LIMITS, "1000000"),
    )
    chromium = chromium_path()
    if chromium:
        os.environ["CHROMIUM"] = chromium
    return run


def _point_to_servers(run: Run, named: Mapping[str, str]) -> None:
    for name, start in (("DATABASE_URL", engines.start_postgres), ("REDIS_URL", engines.start_redis)):
        url = named[name]
        if not url:
            engine = start(run.folder)
            run.started.append(engine)
            url = engine.url
        # Inherited by the xdist workers, which find it named.
        os.environ[name] = url


def _drop_template() -> None:
    # A named server outlives the run.
    with suppress(psycopg.OperationalError), psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")


def documented_variables() -> list[str]:
    """The names in `.env.example`, in its order, commented-out ones included."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE)


def chromium_path() -> str:
    """The Chromium for browser tests: `CHROMIUM`, else the first of the usual names on the PATH; empty for none."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        return named
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), "")


@contextmanager
def own_engines(folder: Path) -> Iterator[dict[str, str]]:
    """The variables of an empty database and a broker on this half's engines, apart from the tests' own.

    Effects: on PostgreSQL the database is dropped at the end of the block.
    """
    server = os.environ.get("DATABASE_URL", "")
    if not server:
        yield {"DATABASE_URL": f"sqlite:///{folder}/callcenter.sqlite3", "REDIS_URL": ""}
        return
    name = f"own_{uuid.uuid4().hex[:12]}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"DATABASE_URL": url, "REDIS_URL": os.environ["REDIS_URL"], "REDIS_KEY_PREFIX": f"{name}:"}
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def program_environment(**more: str) -> dict[str, str]:
    """The environment for a program that a test starts, so that it meets this test's database and broker.

    The test must commit (`django_db(transaction=True)`), or the program sees nothing of what it wrote.
    """
    from django.db import connection  # noqa: PLC0415  Django is not loaded yet when this module is.

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{quote(name)}").geturl()
    return {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}
