"""What happened to one request, merged from every app that knows something; the others register themselves here.

This app may not know telephony, so telephony hands in its readers when it starts (`telephony.apps`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from requests_app.data import Explanation, Reason
from requests_app.schedule import contact_window, next_opening
from requests_app.states import Hold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from requests_app.data import LineStanding, TimelineEntry
    from requests_app.models import CallRequest

_sources: list[Callable[[CallRequest], Iterable[TimelineEntry]]] = []
_explanations: list[Callable[[CallRequest], str]] = []
_reasons: list[Callable[[CallRequest, datetime], Iterable[Reason]]] = []
_standings: list[Callable[[Collection[int], datetime], dict[int, list[LineStanding]]]] = []

# What no time heals: somebody has to decide, to correct or to finish something.
FOR_A_PERSON: Final = frozenset({
    Hold.IN_DOUBT, Hold.AWAITING_DISPOSITION, Hold.WITH_PERSON, Hold.DO_NOT_CALL, Hold.RULES, Hold.REFUSED,
    Hold.NO_PHONE, Hold.NOT_A_NUMBER, Hold.NOT_BRAZILIAN, Hold.NO_AREA_CODE, Hold.INVALID_NUMBER, Hold.SERVICE_NUMBER,
})  # fmt: skip


def add_source(reader: Callable[[CallRequest], Iterable[TimelineEntry]]) -> None:
    """Let `reader` contribute to every timeline. Safe to repeat."""
    if reader not in _sources:
        _sources.append(reader)


def add_explanation(reader: Callable[[CallRequest], str]) -> None:
    """Let `reader` say why a due request is not dialed yet (a line's reason; empty = no objection). Safe to repeat."""
    if reader not in _explanations:
        _explanations.append(reader)


def add_reasons(reader: Callable[[CallRequest, datetime], Iterable[Reason]]) -> None:
    """Let `reader` name what stands against dialing an open request, the binding reason first. Safe to repeat."""
    if reader not in _reasons:
        _reasons.append(reader)


def add_standings(reader: Callable[[Collection[int], datetime], dict[int, list[LineStanding]]]) -> None:
    """Let `reader` say how the lines of companies are doing. Safe to repeat."""
    if reader not in _standings:
        _standings.append(reader)


def line_standings(company_ids: Collection[int], *, now: datetime) -> dict[int, list[LineStanding]]:
    """How each line of these companies is doing now, by company; one without lines is left out."""
    found: dict[int, list[LineStanding]] = {}
    for reader in _standings:
        for company_id, lines in reader(company_ids, now).items():
            found.setdefault(company_id, []).extend(lines)
    return found


def explanation(call_request: CallRequest, *, now: datetime) -> Explanation:
    """Why the request is not being dialed at this moment: every reason, the binding one first, and what comes next."""
    reasons = _own_reasons(call_request, now=now)
    if not call_request.is_open:
        return Explanation(tuple(reasons), _("Nada: o pedido está encerrado."))
    if call_request.in_flight:
        return Explanation(tuple(reasons), _("O resultado da chamada em curso decide."))
    known = {reason.code for reason in reasons}
    reasons += [one for reader in _reasons for one in reader(call_request, now) if one.code not in known]
    if any(reason.needs_person for reason in reasons):
        return Explanation(tuple(reasons), _("Uma pessoa precisa agir; sem isso o discador não liga."))
    if not reasons:
        return Explanation((), _("O discador liga na próxima rodada."))
    at = max((reason.until for reason in reasons if reason.until), default=None)
    if at is None:
        return Explanation(tuple(reasons), _("O discador liga assim que isto passar."))
    return Explanation(tuple(reasons), _("O discador liga a partir deste horário."), at)


def _own_reasons(call_request: CallRequest, *, now: datetime) -> list[Reason]:
    """What the request itself says: the hold that binds it, and whatever else it would wait for."""
    due_at = call_request.due_at
    if due_at is not None and due_at <= now:
        return []
    hold = Hold(call_request.hold_reason)
    binding = Reason(hold.value, str(hold.label), until=due_at, needs_person=hold in FOR_A_PERSON)
    if due_at is None:
        return [binding]
    window = contact_window(call_request.time_from, call_request.time_to)
    opens_at = next_opening(now, window=window, zone=call_request.company.zone)
    waits = (
        (Hold.WANTED_TIME, call_request.wanted_at),
        (Hold.POSTPONED, call_request.postponed_until),
        (Hold.CONTACT_WINDOW, opens_at),
    )
    return [binding] + [
        Reason(other.value, str(other.label), until=until)
        for other, until in waits
        if until is not None and until > now and other != hold
    ]


def entries(call_request: CallRequest) -> list[TimelineEntry]:
    """The whole timeline of one request, oldest first; a constant number of queries per source."""
    found = [entry for reader in _sources for entry in reader(call_request)]
    return sorted(found, key=lambda entry: entry.at)


def why_not_dialed(call_request: CallRequest) -> str:
    """The one reason, in the reader's language, why the request is not being dialed at this moment."""
    is_due = call_request.due_at is not None and call_request.due_at <= timezone.now()
    if call_request.hold_reason and not is_due:
        return str(call_request.get_hold_reason_display())
    for reader in _explanations:
        if objection := reader(call_request):
            return objection
    return str(Hold.NONE.label)
