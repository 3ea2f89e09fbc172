"""What the tests of dialing start from: a company that can dial, calls at each stage, and the carrier's callbacks."""

from __future__ import annotations

import itertools
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.tests.factories import make_account, make_call_request, make_company, make_line
from requests_app.models import CallRequest
from telephony.models import CallAttempt
from telephony.services import answers, moves
from telephony.services.dialing import claim_due_calls
from telephony.services.news import apply_received
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpResponse

    from callcenter.accounts.models import Company
    from telephony.models import DialerLine

FORM = "application/x-www-form-urlencoded"
_numbers = itertools.count(1)


def make_callcenter(*, attendants: int = 50, secret: str = "s3cr3t-of-the-path", **line: Any) -> DialerLine:
    """A line of a company with free attendants and an account at the carrier whose webhook path ends in `secret`."""
    company = make_company()
    # Without a password, whose hash takes longer than everything else here.
    people = User.objects.bulk_create(
        User(email=f"atendente{next(_numbers)}@example.com", presence=User.Presence.AVAILABLE)
        for _ in range(attendants)
    )
    company.users.add(*people)
    make_account(company, secret=secret)
    return make_line(company, **line)


def make_due(company: Company, count: int = 1, **fields: Any) -> list[CallRequest]:
    """Requests that are due now, each with a number of its own unless `phone` is given."""
    return [
        make_call_request(company, **{"phone": f"(11) 9{80000000 + next(_numbers)}", **fields}) for _ in range(count)
    ]


def claim(line: DialerLine, *, now: datetime | None = None) -> list[CallAttempt]:
    """The attempts that one tick claims for the line."""
    ids = claim_due_calls(line.pk, now=now or timezone.now())
    return list(CallAttempt.objects.filter(pk__in=ids).select_related("line").order_by("pk"))


def send(attempt: CallAttempt, *, now: datetime | None = None, call_id: str = "") -> CallAttempt:
    """The claimed attempt with its intent committed; accepted by the PABX when `call_id` is given."""
    now = now or timezone.now()
    assert moves.move(
        attempt, AttemptState.SENDING, expected=["claimed"], reason=MoveReason.INTENT, now=now, sending_at=now
    )
    if call_id:
        answers.store_accepted(attempt, call_id)
    attempt.refresh_from_db()
    return attempt


def placed_call(line: DialerLine, *, now: datetime | None = None, **fields: Any) -> CallAttempt:
    """A call that the PABX has accepted, of a new request."""
    now = now or timezone.now()
    (request,) = make_due(line.company, **fields)
    CallRequest.objects.filter(pk=request.pk).update(due_at=now)
    (attempt,) = [one for one in claim(line, now=now) if one.call_request_id == request.pk]
    return send(attempt, now=now, call_id=f"08/07/24 10:46:19 010A {next(_numbers):04d}/00")


def form_of(**data: Any) -> str:
    """The body of a callback as the carrier sends it: one form field `data` that holds JSON."""
    return urlencode({"data": json.dumps(data)})


def tell(word: str, *, secret: str = "s3cr3t-of-the-path", **data: Any) -> HttpResponse:
    """The webhook's answer to one callback with this status word; it is stored, and not applied yet."""
    return Client().post(f"/webhooks/directcall/{secret}", form_of(status=word, **data), content_type=FORM)  # type: ignore[return-value]


def deliver(word: str, *, secret: str = "s3cr3t-of-the-path", **data: Any) -> HttpResponse:
    """The webhook's answer to one callback with this status word; then it is applied, as by the bell of the second."""
    answer = tell(word, secret=secret, **data)
    apply_received(now=timezone.now())
    return answer


def fresh(attempt: CallAttempt) -> tuple[CallAttempt, CallRequest]:
    """The attempt and its request as they are stored now."""
    again = CallAttempt.objects.select_related("call_request").get(pk=attempt.pk)
    assert again.call_request is not None
    return again, again.call_request


def standing(attempt: CallAttempt) -> dict[str, object]:
    """Everything that must not depend on the order of news."""
    again, request = fresh(attempt)
    return {
        "state": again.state,
        "outcome": again.outcome,
        "conflict": again.has_conflict,
        "status": request.status,
        "last_outcome": request.last_outcome,
        "completed": request.completed_at is not None,
        "in_flight": request.in_flight,
        "hold": request.hold_reason,
        "waits": request.due_at is not None,
        "tries": request.attempts,
    }


def in_threads(count: int, work: Callable[[int], object]) -> None:
    """Run `work(0…count-1)` at once and wait; the first error that any of them raised is raised here."""
    errors: list[Exception] = []

    def run(place: int) -> None:
        try:
            work(place)
        except Exception as error:  # noqa: BLE001 - raised below, in the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
