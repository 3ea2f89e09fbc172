"""What the webhook's benchmark starts from: calls that the PABX took, and the carrier's news of them, made by SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from telephony.models import DialerLine

# Of ten calls six have three pieces of news and four have two; each tenth piece twice, and 2 % more that is no news.
EVENTS_PER_CALL: Final = 2.6 * 1.12
_FORM: Final = "application/x-www-form-urlencoded"


def body(number: int, word: str) -> str:
    """A callback about the call with this number, as the carrier posts it."""
    said = (
        f'{{"callerid":"call-{number}","origem":"1140001234","destino":"{5511960000000 + number}",'
        f'"inicio":"","status":"{word}","duracao":"00:00:12"}}'
    )
    return f"data={quote_plus(said)}"


def make_address(line: DialerLine, secret: str) -> None:
    """An account at the carrier, with the address that it posts to."""
    from callcenter.tests.factories import make_account  # noqa: PLC0415

    make_account(line.company, secret=secret)


def add_calls(line: DialerLine, *, first: int, count: int) -> None:
    """Calls that are out since a moment, each of a request of its own."""
    from django.utils import timezone  # noqa: PLC0415

    from callcenter.lib.database import insert_rows  # noqa: PLC0415
    from requests_app.models import CallRequest  # noqa: PLC0415
    from telephony.models import CallAttempt  # noqa: PLC0415

    now = timezone.now()
    for start in range(first, first + count, 500):
        numbers = range(start, min(start + 500, first + count))
        requests = insert_rows(
            CallRequest,
            ("company_id", "name", "phone", "phone_e164", "status", "in_flight", "hold_reason", "attempts", "source"),
            [
                (line.company_id, "Ana", f"+{5511960000000 + n}", f"+{5511960000000 + n}", "in_progress", True,
                 "in_flight", 1, "cscart")
                for n in numbers
            ],
        )  # fmt: skip
        insert_rows(
            CallAttempt,
            ("call_request_id", "company_id", "line_id", "number", "state", "phone_e164", "provider_call_id",
             "claimed_at", "send_at", "sending_at", "placed_at"),
            [
                (request, line.company_id, line.pk, 1, "placed", f"+{5511960000000 + n}", f"id-{n}", now, now, now, now)
                for request, n in zip(requests, numbers, strict=True)
            ],
        )  # fmt: skip
    _vacuum()


def add_news(line: DialerLine, *, first: int, count: int) -> None:
    """All news of these calls as they would come: all of them ring, then comes what is next of each."""
    from django.utils import timezone  # noqa: PLC0415

    from callcenter.lib.database import insert_rows  # noqa: PLC0415
    from telephony.models import DirectcallAccount, ProviderEvent  # noqa: PLC0415

    numbers = range(first, first + count)
    told = [body(n, "chamando") for n in numbers]
    told += [body(n, "atendeu" if n % 10 < 6 else "ocupado") for n in numbers]
    told += [body(n, "desligou") for n in numbers if n % 10 < 6]
    bodies: list[str] = []
    for place, one in enumerate(told):
        bodies += [one, one] if place % 10 == 3 else [one]
        if place % 50 == 7:
            bodies.append("data=%7B%22status%22%3A")
    account, now = DirectcallAccount.objects.get(), timezone.now()
    columns = ("account_id", "company_id", "received_at", "content_type", "raw")
    rows = [(account.pk, line.company_id, now, _FORM, one.encode()) for one in bodies]
    for start in range(0, len(rows), 500):
        insert_rows(ProviderEvent, columns, rows[start : start + 500])


def forget_events() -> None:
    """Remove every event."""
    from django.db import connection  # noqa: PLC0415

    table = "telephony_providerevent"
    _execute(f"TRUNCATE {table}" if connection.vendor == "postgresql" else f"DELETE FROM {table}")


def log_statements(milliseconds: int) -> None:
    """Have PostgreSQL log what takes it that long."""
    from django.db import connection  # noqa: PLC0415

    if connection.vendor == "postgresql":
        _execute(f"ALTER SYSTEM SET log_min_duration_statement = {milliseconds}")
        _execute("SELECT pg_reload_conf()")


def event_count() -> int:
    """How many events are stored."""
    from telephony.models import ProviderEvent  # noqa: PLC0415

    return ProviderEvent.objects.count()


def waiting() -> int:
    """How many events are not applied yet."""
    from telephony.models import ProviderEvent  # noqa: PLC0415

    return ProviderEvent.objects.filter(state="received").count()


def check(calls: int) -> None:
    """Nothing, when every event was applied or set aside, and every call so far ended as it should have.

    Errors: `RuntimeError`.
    """
    from django.db.models import Count  # noqa: PLC0415

    from requests_app.models import CallRequest  # noqa: PLC0415
    from telephony.models import AttemptEntry, CallAttempt, ProviderEvent  # noqa: PLC0415

    answered = sum(n % 10 < 6 for n in range(1, calls + 1))
    found: dict[str, Any] = {
        "events": set(ProviderEvent.objects.values_list("state", flat=True).distinct().order_by()),
        "calls": _counts(CallAttempt.objects.values_list("state", "outcome"), Count),
        "requests": _counts(CallRequest.objects.filter(in_flight=False).values_list("status", "hold_reason"), Count),
        "moves": AttemptEntry.objects.count(),
    }
    busy = calls - answered
    expected = {
        "events": {"applied", "unreadable"},
        "calls": {("ended", "answered"): answered, ("ended", "busy"): busy},
        "requests": {("completed", "finished"): answered, ("in_progress", "retry_wait"): busy},
        "moves": 3 * answered + 2 * busy,
    }
    if found != expected:
        raise RuntimeError(f"found {found}, expected {expected}")


def _counts(rows: Any, count: Any) -> dict[Any, int]:
    return {(one, two): number for one, two, number in rows.annotate(n=count("pk")).order_by()}


def _vacuum() -> None:
    from django.db import connection  # noqa: PLC0415

    if connection.vendor == "postgresql":
        for table in ("requests_app_callrequest", "telephony_callattempt", "telephony_providerevent"):
            _execute(f"VACUUM ANALYZE {table}")


def _execute(sql: str) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(sql)
