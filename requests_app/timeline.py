"""What happened to one request, merged from every app that knows something; the others register themselves here.

This app may not know telephony, so telephony hands in its readers when it starts (`telephony.apps`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from requests_app.states import Hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from requests_app.data import TimelineEntry
    from requests_app.models import CallRequest

_sources: list[Callable[[CallRequest], Iterable[TimelineEntry]]] = []
_explanations: list[Callable[[CallRequest], str]] = []


def add_source(reader: Callable[[CallRequest], Iterable[TimelineEntry]]) -> None:
    """Let `reader` contribute to every timeline. Safe to repeat."""
    if reader not in _sources:
        _sources.append(reader)


def add_explanation(reader: Callable[[CallRequest], str]) -> None:
    """Let `reader` say why a due request is not dialed yet (a line's reason; empty = no objection). Safe to repeat."""
    if reader not in _explanations:
        _explanations.append(reader)


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
