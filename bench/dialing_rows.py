"""What the benchmark of dialing starts from: one company, its line and attendants, and due requests made by SQL."""

from __future__ import annotations

import os
from datetime import time
from typing import TYPE_CHECKING, Any

from bench.worker import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from telephony.models import DialerLine

# The simulator scripts numbers by their last two digits; from 50 on it always takes the call.
_DUE = """
INSERT INTO requests_app_callrequest (company_id, status, requested_at, name, phone, phone_e164, email, time_from,
    time_to, order_number, product_number, priority, in_flight, hold_reason, attempts, last_outcome, source, due_at)
SELECT %s, 'new', now(), 'Cliente ' || i, '(11) 9' || eight, '+55119' || eight, '', '10:00',
    '10:00', 0, 0, 1, false, '', 0, '', 'cscart', now() - interval '1 day' + interval '1 ms' * i
FROM generate_series(%s::bigint, %s::bigint) i, LATERAL (SELECT lpad((i / 50)::text, 6, '4') || 50 + i %% 50 AS eight) n
"""


def set_up_django(database_url: str, data_dir: Path) -> None:
    """Load Django on that database, migrated."""
    os.environ.update(ENVIRONMENT, DATABASE_URL=database_url, DATA_DIR=str(data_dir), LOG_LEVEL="ERROR")
    import django  # noqa: PLC0415  its settings come from the environment of this process

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def make_line(*, base_url: str, attendants: int) -> DialerLine:
    """A line without limits of its own, of a company with so many free attendants, at whatever hour it is."""
    from callcenter.accounts.models import Company, User  # noqa: PLC0415
    from telephony.models import CallingRule, DialerLine, OpeningHours  # noqa: PLC0415

    # The rules are asked as ever; only the hour at which somebody runs a benchmark must not matter.
    CallingRule.objects.update(hours="")
    company = Company.objects.create(name="Loja Aurora")
    available = User.Presence.AVAILABLE
    people = User.objects.bulk_create(User(email=f"a{n}@example.com", presence=available) for n in range(attendants))
    company.users.add(*people)
    line = DialerLine.objects.create(
        company=company,
        name="Linha",
        base_url=base_url,
        channel_id=1,
        api_key="sim-api-key",
        device="1125000",
        device_password="4567",
        account="1114000",
        account_password="1234",
        originator="1112000",
        max_calls_at_once=30_000,
        calls_per_second=1_000_000.0,
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(line=line, weekday=day, opens_at=time(0), closes_at=time(0)) for day in range(7)
    )
    return line


def add_due(line: DialerLine, numbers: range) -> None:
    """Store one due request for each of these numbers."""
    # A million take longer than the product gives a statement.
    _execute("SET statement_timeout = 0", [])
    _execute(_DUE, [line.company_id, numbers.start, numbers.stop - 1])
    for table in ("requests_app_callrequest", "telephony_callattempt", "telephony_attemptentry"):
        _execute(f"VACUUM ANALYZE {table}", [])


def end_calls() -> None:
    """End every open call, as news would, so that it takes up nobody; not part of what is measured."""
    _execute("UPDATE requests_app_callrequest SET in_flight = false, status = 'completed' WHERE in_flight", [])
    _execute(
        "UPDATE telephony_callattempt SET state = 'ended', outcome = 'answered', lease_until = NULL"
        " WHERE state IN ('claimed', 'sending', 'in_doubt', 'placed')",
        [],
    )
    _execute("UPDATE telephony_dialerline SET next_slot_at = NULL", [])


def empty() -> None:
    """Remove every request and attempt."""
    _execute(
        "TRUNCATE requests_app_callrequest, requests_app_ledgerentry, telephony_callattempt, telephony_attemptentry"
        " CASCADE",
        [],
    )


def states() -> dict[str, int]:
    """How many attempts are in each state."""
    from telephony.models import CallAttempt  # noqa: PLC0415

    found: dict[str, int] = {}
    for state in CallAttempt.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def lines_of(figures: Sequence[tuple[str, Any]]) -> str:
    """Figures as a table for people."""
    return "\n".join(f"  {title:<58}{value}" for title, value in figures)


def _execute(sql: str, params: list[Any]) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
