"""Requests that wait for a person because of a list or a rule, judged again: either may be gone since.

A person who takes a number off a list lets its requests go at once; a rule that was changed or has ended, a list put
out of use, an import without the number and a term that is over are found here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from requests_app import selectors as requests
from requests_app.services.holds import release_requests
from telephony.models import DialerLine
from telephony.services.permission import Number, judged, purpose_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from telephony.rulebook import Purpose

PAGE: Final = 500


def release_permitted(*, now: datetime) -> int:
    """How many requests were let go, because a line of their company may call them now or at a known instant.

    The claim judges each again. Effects: a transaction for each 500 requests. Safe to repeat.
    """
    lines = DialerLine.objects.filter(is_enabled=True).defer(*DialerLine.SECRET_FIELDS).select_related("company")
    by_company: dict[int, dict[Purpose, DialerLine]] = defaultdict(dict)
    for line in lines.order_by("pk"):
        by_company[line.company_id].setdefault(purpose_of(line), line)
    return sum(_release_of(company_id, ways.values(), now=now) for company_id, ways in by_company.items())


def _release_of(company_id: int, lines: Iterable[DialerLine], *, now: datetime) -> int:
    released, after = 0, 0
    while page := requests.held_by_rules(company_id, after=after, limit=PAGE):
        after = page[-1][0]
        numbers = [Number(phone_e164, request_id) for request_id, phone_e164 in page]
        free = {
            number.request_id
            for line in lines
            for number, verdict in zip(numbers, judged(numbers, line=line, now=now), strict=True)
            if number.request_id is not None and (verdict.is_allowed or verdict.next_at is not None)
        }
        released += release_requests(free, now=now)
    return released
