"""What a search over half a million messages costs, beside the same rows searched without our indexes.

Run:       .venv/bin/python -m bench.helpdesk_search [--rows 500000] [--rounds 7]
Measured:  `helpdesk.selectors.search.search`, its queries and its rows, on PostgreSQL, in this process; milliseconds on
           the clock, medians of rounds in which all questions and both sides take turns.
Against:   the same function on the same rows after our indexes are dropped.
Needs:     PostgreSQL's programs: Debian's, or TEST_POSTGRES_BIN, or the wheel of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.worker import ENVIRONMENT
from callcenter.tests import engines

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

GOAL_MS: Final = 200
QUESTIONS: Final = {
    "a word of one message": "agulha",
    "a word of every tenth": "boleto",
    "two common words": "boleto entrega",
    "the beginning of a word": "entr",
    "a word nobody wrote": "xilofone",
    "a part of a name": "quix",
    "a phone number": "98765-0042",
}


def main() -> None:
    """Build the database, take the figures, print them."""
    parser = argparse.ArgumentParser(description="The helpdesk's search at half a million messages.")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        os.environ.setdefault("TEST_POSTGRES_BIN", str(found[-1].parent))
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-", ignore_cleanup_errors=True) as name:
        server = engines.start_postgres(Path(name))
        try:
            os.environ.update(ENVIRONMENT, DATABASE_URL=server.url, DATA_DIR=name)
            _measure(options.rows, options.rounds)
        finally:
            server.stop()


def _measure(rows: int, rounds: int) -> None:
    import django  # noqa: PLC0415  the database is known only now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  as above
    from django.db import connection  # noqa: PLC0415  as above

    from helpdesk.selectors.search import search  # noqa: PLC0415  as above

    call_command("migrate", verbosity=0)
    scope = _fill(rows)

    def median_of(question: str) -> float:
        taken = []
        for _round in range(rounds):
            began = time.perf_counter()
            search(question, scope=scope)
            taken.append((time.perf_counter() - began) * 1000)
        return statistics.median(taken)

    print(f"{rows:,} messages, load {os.getloadavg()[0]:.1f}; ms on the clock, medians of {rounds}")
    ours = _each(median_of)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX helpdesk_message_words")
        cursor.execute("DROP INDEX IF EXISTS helpdesk_contact_trigrams")
    plain = _each(median_of)
    print(f"{'':28}{'ours':>10}{'no index':>12}{'no index / ours':>18}")
    for title in QUESTIONS:
        mark = "" if ours[title] <= GOAL_MS else "  MISSED"
        print(f"{title:28}{ours[title]:>10.1f}{plain[title]:>12.1f}{plain[title] / ours[title]:>18.1f}{mark}")


def _each(median_of: Callable[[str], float]) -> dict[str, float]:
    return {title: median_of(question) for title, question in QUESTIONS.items()}


def _fill(rows: int) -> list[int]:
    """The ids of the five companies in which the database made the messages, twenty in each conversation."""
    from django.db import connection  # noqa: PLC0415  the database is known only now

    from callcenter.tests.factories import make_company  # noqa: PLC0415  as above
    from helpdesk.models import Atendimento, Contact, Message  # noqa: PLC0415  as above

    companies = [make_company() for _each in range(5)]
    first = companies[0].pk
    conversations = rows // 20
    with connection.cursor() as cursor:
        # The product's own limit is for queries.
        cursor.execute("SET statement_timeout = 0")
        for model, made, values in (
            (Contact, conversations, _contact(conversations, first)),
            (Atendimento, conversations, _conversation(first)),
            (Message, rows, _message(rows, first)),
        ):
            columns = _columns(model) | values
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"
                f" SELECT {', '.join(columns.values())} FROM generate_series(0, {made - 1}) AS n"
            )
        cursor.execute("ANALYZE")
        cursor.execute("SET statement_timeout = 60000")
    return [company.pk for company in companies]


def _columns(model: type[Model]) -> dict[str, str]:
    """A value for every column of the table that must have one, as SQL."""
    kinds = {"UUIDField": "gen_random_uuid()", "DateTimeField": "now()", "BooleanField": "false", "JSONField": "'[]'"}
    return {
        field.column: kinds.get(field.get_internal_type(), "0" if "Integer" in field.get_internal_type() else "''")
        for field in model._meta.concrete_fields
        if field.column and not field.null and not field.many_to_one
    }


def _id_of(kind: int, number: str) -> str:
    return f"(lpad(to_hex({kind}), 8, '0') || lpad(to_hex({number}), 24, '0'))::uuid"


def _contact(conversations: int, first: int) -> dict[str, str]:
    return {
        "id": _id_of(1, "n"),
        "company_id": f"{first} + n % 5",
        "name": f"'Pessoa ' || n || CASE WHEN n = {conversations // 2} THEN ' Quixadá' ELSE '' END",
        "phone_e164": "'+55119876' || lpad((n % 100000)::text, 5, '0')",
    }


def _conversation(first: int) -> dict[str, str]:
    return {
        "id": _id_of(2, "n"),
        "contact_id": _id_of(1, "n"),
        "company_id": f"{first} + n % 5",
        "number": "n + 1",
        "company_number": "n / 5 + 1",
        "platform": "1",
        "state": "'closed'",
    }


def _message(rows: int, first: int) -> dict[str, str]:
    words = "(ARRAY['pedido','entrega','prazo','troca','cartão','nota','loja','compra','valor','retorno','contato'])"
    text = " || ' ' || ".join(f"{words}[1 + (n * {step} + n / 7) % 11]" for step in range(1, 11))
    return {
        "id": _id_of(3, "n"),
        "atendimento_id": _id_of(2, "n / 20"),
        "contact_id": _id_of(1, "n / 20"),
        "company_id": f"{first} + n / 20 % 5",
        "number": "n + 1",
        "platform": "1",
        "is_inbound": "true",
        "delivery": "'none'",
        "text": f"{text} || CASE WHEN n % 10 = 0 THEN ' boleto' ELSE '' END"
        f" || CASE WHEN n = {rows // 2} THEN ' agulha' ELSE '' END",
    }


if __name__ == "__main__":
    main()
