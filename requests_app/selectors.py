"""Reads of call requests for other apps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from callcenter.lib.database import any_of, as_list, for_claim, row_lock
from callcenter.lib.display import absolute
from callcenter.lib.questions import Question, answer_to
from requests_app.data import DueRequest, TimelineEntry, WaitingCount, WaitingRetry
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import HELD_BY_RULES, OPEN, Hold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# A DueRequest's fields, in its order.
_DUE_COLUMNS: Final = ("id", "company_id", "phone_e164", "attempts", "time_from", "time_to")


def due_requests(company_id: int, *, now: datetime, limit: int, but: Q | None = None) -> list[DueRequest]:
    """Up to `limit` requests of the company whose time has come, locked against other claimers until the commit.

    The most urgent first, then the longest waiting; those of which the condition `but` is true are passed over.
    Call inside a transaction.
    """
    due = CallRequest.objects.filter(company_id=company_id).due(now)
    if but is not None:
        due = due.filter(~but)
    return list(map(DueRequest._make, for_claim(due).values_list(*_DUE_COLUMNS)[:limit]))


def held_by_rules(company_id: int, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Id and number of up to `limit` of its requests that lists or rules keep waiting, by id, after that one."""
    held = CallRequest.objects.filter(company_id=company_id, hold_reason__in=HELD_BY_RULES, in_flight=False)
    held = held.filter(status__in=OPEN, due_at=None, pk__gt=after).order_by("pk")
    return list(held.values_list("pk", "phone_e164")[:limit])


def requests_of_numbers(company_id: int, numbers: Iterable[str], *, limit: int = 50) -> list[CallRequest]:
    """The company's latest requests for calls to these numbers, newest first. One query, none without a number."""
    wanted = list(numbers)
    if not wanted:
        return []
    rows = CallRequest.objects.filter(company_id=company_id, phone_e164__in=wanted)
    return list(rows.order_by("-requested_at", "-pk")[:limit])


def waiting_since(scope: Iterable[int] | None, *, due_before: datetime, limit: int) -> list[CallRequest]:
    """Up to `limit` requests that wait for their call and were due before the instant, the longest waiting first."""
    waiting = CallRequest.objects.visible_to(scope).filter(due_at__lt=due_before, in_flight=False, status__in=OPEN)
    return list(waiting.order_by("due_at", "pk")[:limit])


def companies_with_due_requests(now: datetime) -> set[int]:
    """Ids of the companies that have at least one request to dial now."""
    return set(CallRequest.objects.due(now).order_by().values_list("company_id", flat=True).distinct())


def locked_if_wanted(request_ids: Iterable[int]) -> dict[int, DueRequest]:
    """Of these claimed requests those that may still be called, locked to the commit; the rest were closed or taken.

    Call inside the transaction that commits the intent to dial: a cancellation is either seen here, or comes after.
    """
    return answer_to(wanted_of(request_ids))


def wanted_of(request_ids: Iterable[int]) -> Question[dict[int, DueRequest]]:
    """What `locked_if_wanted` asks; by hand, because it is asked before every call."""
    return Question(
        f"SELECT {', '.join(_DUE_COLUMNS)} FROM requests_app_callrequest r WHERE {any_of('r.id')} AND r.in_flight"
        f" AND {any_of('r.status', 'varchar')} AND r.hold_reason = %s ORDER BY r.id{row_lock('r')}",
        [as_list(request_ids), as_list(status.value for status in OPEN), Hold.IN_FLIGHT.value],
        lambda rows: {row["id"]: DueRequest(**row) for row in rows},
    )


def waiting_retries(
    outcome: str, *, limit: int, company_id: int | None = None, except_companies: Iterable[int] = ()
) -> list[WaitingRetry]:
    """Up to `limit` requests whose next try waits after that outcome, the soonest due first. One query.

    Of one company, or of all but some.
    """
    waiting = CallRequest.objects.filter(
        status__in=OPEN, hold_reason=Hold.RETRY_WAIT, last_outcome=outcome, due_at__isnull=False
    )
    waiting = (
        waiting.filter(company_id=company_id) if company_id else waiting.exclude(company_id__in=list(except_companies))
    )
    columns = ("id", "company_id", "due_at", "time_from", "time_to")
    return [WaitingRetry(*row) for row in waiting.order_by("due_at", "id").values_list(*columns)[:limit]]


def waiting_counts(scope: Iterable[int] | None, *, now: datetime) -> list[WaitingCount]:
    """How many open requests of these companies (None = all) wait for what, each counted once. One query.

    From an index of the open requests alone: what is finished costs nothing.
    """
    open_ones = CallRequest.objects.visible_to(scope).filter(status__in=OPEN).order_by()
    waiting = open_ones.values("company_id", "hold_reason")
    counted = waiting.annotate(number=Count("*"), due=Count("company_id", filter=Q(due_at__lte=now)))
    found: list[WaitingCount] = []
    due: Counter[int] = Counter()
    for company_id, hold, number, of_them_due in counted.values_list("company_id", "hold_reason", "number", "due"):
        due[company_id] += of_them_due
        if number > of_them_due:
            found.append(WaitingCount(company_id, hold, number - of_them_due))
    return found + [WaitingCount(company_id, "", number) for company_id, number in due.items() if number]


def ledger_entries(call_request: CallRequest) -> list[TimelineEntry]:
    """The ledger of one request as timeline lines. One query."""
    entries = LedgerEntry.objects.filter(call_request_id=call_request.pk).select_related("actor").order_by("id")
    return [_timeline_entry(entry) for entry in entries]


def _field_label(name: str) -> str:
    field = CallRequest._meta.get_field(name.removesuffix("_id"))
    return str(getattr(field, "verbose_name", name))


def _timeline_entry(entry: LedgerEntry) -> TimelineEntry:
    details: list[tuple[str, str]] = []
    if entry.to_status:
        before = f"{entry.get_from_status_display()} → " if entry.from_status else ""
        details.append((_("status"), f"{before}{entry.get_to_status_display()}"))
    if entry.reason:
        details.append((_("motivo"), entry.reason_display))
    if entry.detail.get("fields"):
        details.append((_("campos"), ", ".join(map(_field_label, entry.detail["fields"]))))
    for name, label in (("asked_at", _("pedido para")), ("given_at", _("marcado para"))):
        if instant := parse_datetime(str(entry.detail.get(name, ""))):
            details.append((label, absolute(instant)))
    if entry.detail.get("in_flight"):
        details.append((_("chamada"), _("havia uma em curso")))
    details.append((_("origem"), str(entry.get_source_display())))
    if entry.actor:
        details.append((_("por"), str(entry.actor)))
    return TimelineEntry(at=entry.at, kind="ledger", title=str(entry.get_kind_display()), details=tuple(details))
