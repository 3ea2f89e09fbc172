"""Where a request goes when its call is over: the columns and entries that follow from an outcome.

For one request or for many at once: what is written, and when, is the book's (`ledger`). The requests are locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import DEFAULT_DB_ALIAS

from callcenter.accounts.models import Company
from callcenter.lib.database import for_update, values_of
from callcenter.lib.phones import InvalidPhone, brazilian_e164
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.schedule import contact_window, next_opening
from requests_app.services.ledger import AT_ONCE, AtOnce, Together
from requests_app.services.outgoing import companies_with_endpoints
from requests_app.states import OPEN, Hold, Outcome, Source, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CARRIER = Origin(source=Source.CARRIER)
# What where a request goes depends on.
_LANDED: Final = (
    *("id", "company_id", "status", "phone", "time_from", "time_to", "postponed_until", "due_at", "in_flight"),
    *("hold_reason", "last_outcome", "completed_at", "updated_at"),
)
# No call can come of these, however late one tries.
_HOPELESS: Final = (Outcome.REFUSED, Outcome.INVALID)


@dataclass(frozen=True)
class Ending:
    """How a call ended, and what the rules make of it: when to try again (None = never), whether a person disposes."""

    outcome: Outcome
    retry_at: datetime | None = None
    needs_disposition: bool = False


def take_news(answered: Collection[int], endings: Mapping[int, Ending], *, now: datetime) -> None:
    """As `note_answered` for these requests and then `settle_request` for those, together.

    Effects: three queries (one more where programs are told), one UPDATE and one INSERT of ledger entries, whatever the
    number; what `record` does where a company's programs are told. Call inside a transaction.
    """
    ids = sorted({*answered, *endings})
    if not ids:
        return
    # In one order for everybody who locks several.
    requests = for_update(CallRequest.objects.filter(pk__any_of=ids).order_by("pk"))
    found = values_of(requests.values_list(*_LANDED), is_prepared=True)
    companies = Company.objects.in_bulk({row[1] for row in found})
    book = Together(told=companies_with_endpoints(companies.keys()))
    # What a program is told of a request is all of it.
    whole = CallRequest.objects.in_bulk([row[0] for row in found if row[1] in book.told]) if book.told else {}
    for pk, *values in found:
        row = whole.get(pk) or CallRequest.from_db(DEFAULT_DB_ALIAS, _LANDED, [pk, *values])
        row.company = companies[row.company_id]
        if row.pk in answered:
            note_answer(row, now=now, book=book)
        if (ending := endings.get(row.pk)) is not None:
            settle(row, ending, now=now, origin=CARRIER, book=book)
    book.write()


def note_answer(call_request: CallRequest, *, now: datetime, book: AtOnce) -> None:
    """Nothing; the locked request says that the customer answered, and the book has it."""
    call_request.last_outcome, call_request.updated_at = Outcome.ANSWERED, now
    book.save(call_request, ["last_outcome", "updated_at"])
    book.record(call_request, LedgerEntry.Kind.ANSWERED, origin=CARRIER, at=now)


def settle(call_request: CallRequest, ending: Ending, *, now: datetime, origin: Origin, book: AtOnce) -> None:
    """Nothing; the locked request takes the outcome of its call, as `calls.settle_request` says."""
    outcome = ending.outcome
    call_request.last_outcome = outcome
    book.record(call_request, LedgerEntry.Kind.OUTCOME, origin=origin, at=now, reason=outcome)
    if call_request.status not in OPEN:
        land(call_request, now=now, due_at=None, hold=Hold.FINISHED, book=book)
    elif call_request.hold_reason == Hold.WITH_PERSON:
        land(call_request, now=now, due_at=None, hold=Hold.WITH_PERSON, book=book)
    elif outcome == Outcome.ANSWERED:
        _conclude_answered(call_request, now=now, needs_disposition=ending.needs_disposition, origin=origin, book=book)
    elif ending.retry_at is not None or _is_wanted_later(call_request, outcome=outcome, now=now):
        queue(call_request, due_at=ending.retry_at or now, hold=Hold.RETRY_WAIT, now=now, book=book)
    elif outcome == Outcome.REFUSED:
        land(call_request, now=now, due_at=None, hold=Hold.REFUSED, book=book)
    else:
        note_status(
            call_request,
            call_request.status,
            to=Status.NO_ANSWER,
            origin=origin,
            now=now,
            reason=outcome,
            book=book,
        )
        land(call_request, now=now, due_at=None, hold=Hold.OUT_OF_TRIES, status=Status.NO_ANSWER, book=book)


def queue(call_request: CallRequest, *, due_at: datetime, hold: Hold, now: datetime, book: AtOnce = AT_ONCE) -> None:
    """Write the request as one that is due at that instant, or when its contact window opens after it.

    One whose number was changed to something that can't be dialed waits for a person instead.
    """
    try:
        brazilian_e164(call_request.phone)
    except InvalidPhone as error:
        land(call_request, now=now, due_at=None, hold=Hold(error.reason), book=book)
        return
    if call_request.postponed_until is not None and call_request.postponed_until > due_at:
        due_at, hold = call_request.postponed_until, Hold.POSTPONED
    window = contact_window(call_request.time_from, call_request.time_to)
    opens_at = next_opening(due_at, window=window, zone=call_request.company.zone)
    if opens_at > due_at and hold == Hold.NONE:
        hold = Hold.CONTACT_WINDOW
    land(call_request, now=now, due_at=opens_at, hold=hold, book=book)


def land(
    call_request: CallRequest,
    *,
    now: datetime,
    due_at: datetime | None,
    hold: Hold,
    book: AtOnce = AT_ONCE,
    **changes: Any,
) -> None:
    """Write the request as one whose call is over."""
    values = {**changes, "in_flight": False, "due_at": due_at, "hold_reason": hold, "updated_at": now}
    for name, value in values.items():
        setattr(call_request, name, value)
    book.save(call_request, [*values, "last_outcome"])


def note_status(
    call_request: CallRequest,
    before: str,
    *,
    origin: Origin,
    now: datetime,
    reason: str,
    to: str = "",
    book: AtOnce = AT_ONCE,
) -> None:
    """Nothing; that the request's status is another now is in its ledger."""
    book.record(
        call_request,
        LedgerEntry.Kind.STATUS,
        origin=origin,
        at=now,
        from_status=before,
        to_status=to or call_request.status,
        reason=reason,
    )


def _conclude_answered(
    call_request: CallRequest, *, now: datetime, needs_disposition: bool, origin: Origin, book: AtOnce
) -> None:
    to = Status.IN_PROGRESS if needs_disposition else Status.COMPLETED
    if to != call_request.status:
        reason = Outcome.ANSWERED
        note_status(call_request, call_request.status, to=to, origin=origin, now=now, reason=reason, book=book)
    hold = Hold.AWAITING_DISPOSITION if needs_disposition else Hold.FINISHED
    completed_at = None if needs_disposition else now
    land(call_request, now=now, due_at=None, hold=hold, book=book, status=to, completed_at=completed_at)


def _is_wanted_later(call_request: CallRequest, *, outcome: Outcome, now: datetime) -> bool:
    """Whether somebody put the call off while it was on: then it is made again, even if no rule would try again."""
    until = call_request.postponed_until
    return until is not None and until > now and outcome not in _HOPELESS
