"""Databases of call requests for the benchmark: the schema by `migrate`, the rows by the database itself."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.worker import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPANIES: Final = 5
ATTENDANTS: Final = 20
MIRRORED: Final = 2_000
DAYS: Final = 730
# Found the same twenty times at every size: the search for one customer.
RARE_NAME: Final = "Gaspar Quaresma"
RARE_PHONE: Final = "90909-1"
# Found in every twentieth request at every size.
COMMON_NAME: Final = "maria"
_FIRST: Final = """
    Maria João Ana José Antônia Carlos Francisca Paulo Adriana Pedro Juliana Lucas Márcia Luiz Fernanda Marcos Patrícia
    Luís Aline Gabriel Sandra Rafael Camila Daniel Amanda Marcelo Bruna Bruno Jéssica Eduardo Letícia Felipe Júlia
    Rodrigo Luciana Manoel Vanessa Mateus Mariane André
"""
_LAST: Final = """
    Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Costa Ribeiro Martins Carvalho Almeida
    Lopes Soares Fernandes Vieira Barbosa Rocha Dias Nascimento Andrade Moreira Nunes Marques Machado Mendes Freitas
    Cardoso Ramos Gonçalves Santana Teixeira Araújo Pinto Cavalcanti Azevedo Monteiro Barros Correia Moura Castro
"""


# In the order in which they refer to each other; groups and permissions are made by migrate, under the same ids.
_COPIED: Final = (
    "accounts_company", "accounts_user", "accounts_user_companies", "auth_group", "django_content_type",
    "auth_permission", "auth_group_permissions", "accounts_user_groups", "accounts_apikey", "requests_app_order",
    "requests_app_product", "requests_app_callrequest",
)  # fmt: skip


def _pick(words: str, by: str) -> str:
    quoted = [f"'{word}'" for word in words.split()]
    return f"(ARRAY[{','.join(quoted)}])[1 + ({by}) % {len(quoted)}]"


# Every number is a hash of the row's number: the same rows on every machine. No placeholders: a % is SQL's own.
_ROWS: Final = f"""
INSERT INTO requests_app_callrequest (company_id, status, requested_at, name, phone, phone_e164, email, time_from,
    time_to, notes, order_number, product_number, responsible_id, priority, in_flight, hold_reason, attempts,
    last_outcome, source)
SELECT 1 + h1 % {COMPANIES},
    CASE WHEN h2 % 100 < 2 THEN 'new' WHEN h2 % 100 < 5 THEN 'in_progress'
         WHEN h2 % 100 < 20 THEN 'no_answer' ELSE 'completed' END,
    date_trunc('second', now()) - interval '{DAYS} days' * (1 - i::float8 / {{rows}}),
    CASE WHEN i % ({{rows}} / 20) = 7 THEN '{RARE_NAME}'
         ELSE {_pick(_FIRST, "h3 / 7")} || ' ' || {_pick(_LAST, "h3 / 3001")} || ' ' || {_pick(_LAST, "h4 / 7")} END,
    CASE WHEN i % ({{rows}} / 20) = 9 THEN '(11) {RARE_PHONE}' || lpad((i % 1000)::text, 3, '0')
         ELSE '(' || 11 + h4 % 9 || ') 9' || 1000 + h2 / 11 % 8000 || '-' || lpad((h1 / 13 % 10000)::text, 4, '0') END,
    '+5511' || 900000000 + h4 % 99999999,
    CASE WHEN h3 % 2 = 0 THEN 'cliente' || i || '@example.com' ELSE '' END,
    '10:00', '20:00',
    CASE WHEN h4 % 4 = 0 THEN 'O cliente pediu para ligar depois do almoço.' END,
    CASE WHEN h1 % 10 < 3 THEN 1 + h2 % {MIRRORED} ELSE 0 END,
    CASE WHEN h1 % 10 > 6 THEN 1 + h3 % {MIRRORED} ELSE 0 END,
    CASE WHEN h4 % 10 < 6 THEN h4 / 10 % {ATTENDANTS}
        + (SELECT min(id) FROM accounts_user WHERE email LIKE 'attendant%') END,
    1, false, 'finished', h4 % 4, '', 'cscart'
FROM (SELECT i, abs(hashint8(i)::bigint) AS h1, abs(hashint8(i + 1000000007)::bigint) AS h2,
             abs(hashint8(i + 2000000011)::bigint) AS h3, abs(hashint8(i + 3000000019)::bigint) AS h4
      FROM generate_series(1, {{rows}}::bigint) i) numbered
"""
_MIRRORS: Final = f"""
INSERT INTO requests_app_order (company_id, number, status, email)
    SELECT c, n, (ARRAY['P','C','O'])[1 + n % 3], 'cliente' || n || '@example.com'
    FROM generate_series(1, {COMPANIES}) c, generate_series(1, {MIRRORED}) n;
INSERT INTO requests_app_product (company_id, number, name, names)
    SELECT c, n, 'Produto nº ' || n, '{{}}' FROM generate_series(1, {COMPANIES}) c, generate_series(1, {MIRRORED}) n;
"""


# Run in a process of its own, because Django knows one database: prints the keys as JSON.
_PEOPLE: Final = """
import json, sys
import django
django.setup()
from django.contrib.auth.models import Group
from callcenter.accounts.models import Company, User
from callcenter.accounts.services import issue_api_key
shops = [Company.objects.create(name=f"Loja {n + 1}") for n in range(COMPANIES)]
for n in range(ATTENDANTS):
    User.objects.create(email=f"attendant{n:02}@example.com", is_staff=True)
keys = {}
for email, is_bound in json.loads(sys.argv[1]).items():
    user = User.objects.create(email=email, is_staff=True)
    user.companies.set(shops[:1] if is_bound else [])
    user.groups.add(Group.objects.get(name="Administrador"))
    keys[email] = issue_api_key(user, name="bench").secret
print(json.dumps(keys))
"""


def make_template(server: str, people: Mapping[str, bool]) -> dict[str, str]:
    """The API keys of the people (e-mail address -> whether bound to the first company), by address.

    Effects: the server's database has the schema, the companies and the people, and no request.
    """
    environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": server, "DATA_DIR": tempfile.gettempdir()}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True, env=environment)
    program = _PEOPLE.replace("COMPANIES", str(COMPANIES)).replace("ATTENDANTS", str(ATTENDANTS))
    made = subprocess.run(
        [sys.executable, "-c", program, json.dumps(people)],
        cwd=ROOT,
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    keys: dict[str, str] = json.loads(made.stdout)
    return keys


def make_database(server: str, rows: int) -> str:
    """The URL of a new database with so many requests, a copy of the server's otherwise."""
    url = urlsplit(server)
    name = f"rows_{rows}"
    with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(url.path[1:]))
        )
    filled = url._replace(path=f"/{name}").geturl()
    load(filled, rows)
    return filled


def load(url: str, rows: int) -> None:
    """Nothing; the database holds the mirrors and so many requests, counted by the triggers, and fresh statistics."""
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET synchronous_commit = off")
        connection.execute(_MIRRORS)
        dropped = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'requests_app_callrequest'"
            " AND indexname NOT LIKE '%_pkey'"
        ).fetchall()
        for index, _definition in dropped:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
        connection.execute(rows_statement(rows))
        for _index, definition in dropped:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")


def rows_statement(rows: int) -> str:
    """The statement that makes so many requests."""
    return _ROWS.replace("{rows}", str(rows))


def copy_to_sqlite(server: str, rows: int, folder: Path) -> str:
    """The URL of an SQLite database with the people, mirrors and requests of the one with so many rows."""
    path = folder / "requests.sqlite3"
    environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": f"sqlite:///{path}", "DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True, env=environment)
    source = urlsplit(server)._replace(path=f"/rows_{rows}").geturl()
    with psycopg.connect(source) as connection, sqlite3.connect(path) as copy:
        for table in _COPIED:
            with connection.cursor(name=f"copy_{table}") as found:
                found.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
                columns = [column.name for column in found.description or ()]
                copy.execute(f"DELETE FROM {table}")
                places = ", ".join("?" * len(columns))
                copy.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",
                    (tuple(map(_plain, row)) for row in found),
                )
        copy.execute("ANALYZE")
    return f"sqlite:///{path}"


def _plain(value: Any) -> Any:
    """The value as Django keeps it in SQLite."""
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value.astimezone(UTC).replace(tzinfo=None)) if isinstance(value, datetime) else value
