"""Databases of conversations for the benchmark: the schema by `migrate`, the rows by the database itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from bench.worker import ENVIRONMENT, ROOT

OPEN_ONES: Final = 200
EACH: Final = 20
# Title, method, parameters; `last`, `contact` and `one` stand for what the database holds.
CALLS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("ListarEmAberto", "ListarEmAberto", {}),
    ("ListarUltimasMensagens", "ListarUltimasMensagens", {}),
    ("ListarMensagensEmAberto, from the start", "ListarMensagensEmAberto", {"Inicio": 0}),
    ("ListarMensagensEmAberto, the last 100", "ListarMensagensEmAberto", {"Inicio": "last-100"}),
    ("ObterNovasMensagensChatSiteSse, the last", "ObterNovasMensagensChatSiteSse", {"Inicio": "last-50"}),
    ("ListarMensagensAtendimentoChat", "ListarMensagensAtendimentoChat", {"Atendimento": "one"}),
    ("ListarMeusAtendimentos", "ListarMeusAtendimentos", {"Contato": "contact"}),
    ("ListarRecentes", "ListarRecentes", {"top": 50}),
    ("ListarMensagensPadrao", "ListarMensagensPadrao", {}),
)
# One row of each kind, made by the services; the others are copies of it.
_SEED: Final = """
import django; django.setup()
import json
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import Group
from django.utils import timezone
from callcenter.accounts.models import Company, User
from helpdesk.models import CannedMessage, Channel, Contact
from helpdesk.services.tokens import issue_token
from helpdesk.services.writing import receive_message
from helpdesk.services.closing import close
company = Company.objects.create(name="Loja")
token = issue_token(User.objects.create_user("erp@example.com"), [company], name="bench").secret
channel = Channel.objects.create(company=company, platform=1, title="Site", reference_code="site")
contact = Contact.objects.create(company=company, name="Maria Silva", city="Campinas", state="SP")
done = receive_message(contact, channel, text="Bom dia, onde está o meu pedido?", now=timezone.now())
close(done.atendimento.pk, scope=None, now=timezone.now())
CannedMessage.objects.create(company=company, title="Oi", text="Oi")
print(json.dumps([token, str(contact.pk), str(done.atendimento.pk), str(done.message.pk)]))
"""
_CONTACTS: Final = """
INSERT INTO helpdesk_contact ({columns}) SELECT {values}
FROM generate_series(1, %(count)s) n, helpdesk_contact t,
LATERAL jsonb_populate_record(t, jsonb_build_object('id', md5('c' || n), 'hash', md5('ch' || n),
'name', 'Cliente ' || n)) r WHERE t.id = %(contact)s
"""
_ATENDIMENTOS: Final = """
INSERT INTO helpdesk_atendimento ({columns}) SELECT {values}
FROM generate_series(1, %(count)s) n, helpdesk_atendimento t,
LATERAL jsonb_populate_record(t, jsonb_build_object('id', md5('a' || n), 'hash', md5('ah' || n), 'number', n + 1,
'company_number', n + 1, 'contact_id', md5('c' || n), 'last_message_id', md5('m' || n * %(each)s),
'last_message_number', n * %(each)s + 1, 'created_at', now() - make_interval(mins => %(count)s - n),
'updated_at', now() - make_interval(mins => %(count)s - n),
'state', CASE WHEN n > %(count)s - %(open)s THEN 'queued' ELSE 'closed' END,
'closed_at', CASE WHEN n > %(count)s - %(open)s THEN NULL ELSE now() - make_interval(mins => %(count)s - n) END)) r
WHERE t.id = %(atendimento)s
"""
_MESSAGES: Final = """
INSERT INTO helpdesk_message ({columns}) SELECT {values}
FROM generate_series(1, %(count)s::int * %(each)s::int) m, helpdesk_message t,
LATERAL jsonb_populate_record(t, jsonb_build_object('id', md5('m' || m), 'hash', md5('mh' || m), 'number', m + 1,
'atendimento_id', md5('a' || (m + %(each)s - 1) / %(each)s), 'contact_id', md5('c' || (m + %(each)s - 1) / %(each)s),
'created_at', now() - make_interval(secs => (%(count)s::int * %(each)s::int - m)))) r WHERE t.id = %(message)s
"""


@dataclass(frozen=True)
class Made:
    """A database, the token that reads it, and what its calls may name."""

    url: str
    token: str
    last: int
    contact: str
    one: str

    def values(self, given: dict[str, Any]) -> dict[str, Any]:
        """The parameters with the names of this database's rows."""
        named = {"contact": self.contact, "one": self.one, "last-100": self.last - 100, "last-50": self.last - 50}
        return {name: named.get(value, value) if isinstance(value, str) else value for name, value in given.items()}


def make_database(url: str, messages: int, *, open_ones: int = OPEN_ONES, name: str = "") -> Made:
    """A new database with so many messages, those of the open conversations among them."""
    database = name or f"bench_{messages}"
    target = url.rpartition("/")[0] + "/" + database
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    seeded = subprocess.run(
        [sys.executable, "-c", _SEED],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "DATABASE_URL": target, "DATA_DIR": tempfile.gettempdir()},
        check=True,
        capture_output=True,
        text=True,
    )
    token, contact, atendimento, message = json.loads(seeded.stdout.splitlines()[-1])
    count = max(messages // EACH, open_ones)
    params = {"count": count, "each": EACH, "open": open_ones}
    keys = {"contact": contact, "atendimento": atendimento, "message": message}
    with psycopg.connect(target, autocommit=True) as connection:
        for table, statement in (("contact", _CONTACTS), ("atendimento", _ATENDIMENTOS), ("message", _MESSAGES)):
            columns = _columns(connection, f"helpdesk_{table}")
            filled = statement.replace("{columns}", ", ".join(columns))
            filled = filled.replace("{values}", ", ".join(f"r.{column}" for column in columns))
            connection.execute(filled.encode(), {**params, **keys})
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT md5('a' || %s)::uuid, md5('c' || %s)::uuid", [count, count]).fetchone()
    assert row is not None
    return Made(target, token, last=count * EACH + 1, contact=str(row[1]), one=str(row[0]))


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    """Those that the database does not fill by itself."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'", [table]
    )
    return [f'"{name}"' for (name,) in found]
