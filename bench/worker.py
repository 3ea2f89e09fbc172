"""A process that holds the application on one database, and answers calls with what they cost."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from callcenter.tests.environment import DUMMY_SECRETS

ROOT: Final = Path(__file__).resolve().parents[1]
# No call of the benchmark may be one too many; and nothing of a developer's own settings.
ENVIRONMENT: Final = {
    **DUMMY_SECRETS,
    "DJANGO_SETTINGS_MODULE": "callcenter.settings",
    "ENV_FILE": "",
    "REDIS_URL": "",
    "LOG_LEVEL": "WARNING",
    "API_CALLS_PER_MINUTE_PER_ADDRESS": "0",
    "API_CALLS_PER_MINUTE_PER_KEY": "0",
    "FAILED_LOGINS_PER_ADDRESS": "0",
    "FAILED_LOGINS_PER_ADDRESS_AND_EMAIL": "0",
}


@dataclass(frozen=True)
class Call:
    """A request: method, path, query string, whose key, body; `is_first`: as if nothing like it was asked before."""

    method: str
    path: str
    query: str
    who: str
    body: bytes = b""
    is_first: bool = False


@dataclass(frozen=True)
class Answer:
    """What one call cost: CPU milliseconds of the process and its backend, and milliseconds on the clock."""

    cost: float
    clock: float


class Worker:
    """The parent's end of the process; `url` is the database's."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker"],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, "DATABASE_URL": url, "DATA_DIR": os.environ.get("TMPDIR", "/tmp")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._keys = keys

    def take(self, call: Call, *, times: int) -> list[Answer]:
        """The costs of so many calls.

        Errors: `RuntimeError` when one is not answered with 2xx.
        """
        return [Answer(*figures) for figures in self._ask("take", call, times)]

    def sql_alone(self, call: Call) -> Answer:
        """The median cost of the call's statements, asked of a bare driver."""
        return Answer(*self._ask("sql_alone", call, 60))

    def engine(self) -> str:
        """What the database calls itself."""
        return str(self._ask("engine", Call("GET", "", "", next(iter(self._keys))), 0))

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _ask(self, what: str, call: Call, times: int) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        sent = {**asdict(call), "body": call.body.decode(), "key": self._keys[call.who], "what": what, "times": times}
        self._process.stdin.write(json.dumps(sent) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended at {what} {call}")
        return json.loads(line)


def _serve() -> None:
    """The process's end: one line of JSON in, one out."""
    import django  # noqa: PLC0415  its settings come from the environment of this process
    from django.conf import settings  # noqa: PLC0415

    django.setup()
    settings.ROOT_URLCONF = "bench.plain_api"
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415

    application = WSGIHandler()
    for line in sys.stdin:
        asked = json.loads(line)
        said: Any
        if asked["what"] == "take":
            said = [_taken(application, asked) for _number in range(asked["times"])]
        elif asked["what"] == "sql_alone":
            said = _sql_alone(application, asked)
        else:
            said = _engine()
        print(json.dumps(said), flush=True)


def _taken(application: Any, asked: dict[str, Any]) -> tuple[float, float]:
    from requests_app.dialects.totals import forget_many  # noqa: PLC0415

    if asked["is_first"]:
        forget_many()
    return _timed(lambda: _request(application, asked))


def _request(application: Any, asked: dict[str, Any]) -> None:
    body = asked["body"].encode()
    credentials = base64.b64encode(f"{asked['who']}:{asked['key']}".encode()).decode()
    environ = {
        "REQUEST_METHOD": asked["method"],
        "PATH_INFO": asked["path"],
        "QUERY_STRING": asked["query"],
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "*/*",
        "HTTP_AUTHORIZATION": f"Basic {credentials}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    if body:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    statuses: list[str] = []
    response = application(environ, lambda status, _headers, _error=None: statuses.append(status))
    content = b"".join(response)
    response.close()
    if not statuses[0].startswith("2"):
        raise RuntimeError(f"{asked['path']}?{asked['query']}: {statuses[0]} {content[:300]!r}")


def _timed(action: Any) -> tuple[float, float]:
    """CPU milliseconds and milliseconds on the clock."""
    cpu, clock = cpu_seconds(), time.perf_counter()
    action()
    return (cpu_seconds() - cpu) * 1e3, (time.perf_counter() - clock) * 1e3


def cpu_seconds() -> float:
    """This process's and its backend's."""
    from django.db import connection  # noqa: PLC0415

    own = time.process_time()
    if connection.vendor == "postgresql" and connection.connection is not None:
        try:
            spent = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
        except OSError:
            return time.perf_counter()
        own += int(spent.split()[0]) / 1e9
    return own


def cpu_of_server(pid: int) -> float:
    """CPU seconds of the server's processes, the ended ones included."""
    if not pid:
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid:
            ticks += sum(map(int, parts[11:15]))
        elif int(parts[1]) == pid:
            ticks += sum(map(int, parts[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _sql_alone(application: Any, asked: dict[str, Any]) -> tuple[float, float]:
    import psycopg  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    statements: list[tuple[Any, Any]] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
        statements.append((query, params))
        return execute(cursor, query, params, **options)

    # The first call of a minute notes that its key was used.
    _request(application, asked)
    psycopg.Cursor.execute = noting  # type: ignore[method-assign, assignment]
    try:
        _taken(application, asked)
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    cursor = psycopg.Cursor(connection.connection)

    def repeat() -> None:
        for query, params in statements:
            cursor.execute(query, params, prepare=True)
            if cursor.description:
                cursor.fetchall()

    repeat()
    costs = sorted(_timed(repeat) for _number in range(asked["times"]))
    return costs[len(costs) // 2]


def _engine() -> str:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        return " ".join(cursor.fetchone()[0].split()[:2])


if __name__ == "__main__":
    _serve()
