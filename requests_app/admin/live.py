"""The living part of a request's page (situation, next call, timeline), also as a fragment that the page polls."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext_lazy as _

from callcenter.lib.admin import may_open
from callcenter.lib.display import badge, instant
from requests_app import timeline
from requests_app.states import Hold, Outcome, Status

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.utils.safestring import SafeString

    from requests_app.models import CallRequest

STATUS_TONES: Final = {
    Status.NEW: "new",
    Status.IN_PROGRESS: "progress",
    Status.COMPLETED: "good",
    Status.NO_ANSWER: "bad",
}
# What a person has to see to.
_ALARMS: Final = {
    Hold.IN_DOUBT, Hold.AWAITING_DISPOSITION, Hold.REFUSED, Hold.NO_PHONE, Hold.NOT_A_NUMBER, Hold.NOT_BRAZILIAN,
    Hold.NO_AREA_CODE, Hold.INVALID_NUMBER, Hold.SERVICE_NUMBER,
}  # fmt: skip
_KIND_LABELS: Final = {
    "ledger": _("Pedido"),
    "attempt": _("Chamada"),
    "event": _("Operadora"),
    "conversation": _("Conversa"),
}


def status_badge(call_request: CallRequest) -> SafeString:
    """The status in its colour."""
    return badge(call_request.get_status_display(), tone=STATUS_TONES[Status(call_request.status)])


def outcome_badge(outcome: str) -> SafeString | str:
    """The outcome of a call in its colour; a dash for none."""
    if not outcome:
        return "—"
    return badge(str(Outcome(outcome).label), tone="good" if outcome == Outcome.ANSWERED else "")


def situation_tone(call_request: CallRequest) -> str:
    """How much the situation asks for a person: warn, progress or nothing."""
    if call_request.hold_reason in _ALARMS:
        return "warn"
    return "progress" if call_request.in_flight else ""


def snapshot(request: HttpRequest, call_request: CallRequest, *, now: datetime) -> dict[str, Any]:
    """The context of `live.html`: everything about the request that changes by itself."""
    why = timeline.explanation(call_request, now=now)
    return {
        "call_request": call_request,
        "status": status_badge(call_request),
        "last_outcome": outcome_badge(call_request.last_outcome),
        "situation": why.reasons[0].text if why.reasons else str(Hold.NONE.label),
        "why": why,
        "situation_tone": situation_tone(call_request),
        "next_call": instant(call_request.due_at, now=now),
        "timeline": [
            {
                "entry": entry,
                "kind": _KIND_LABELS.get(entry.kind, entry.kind),
                "url": entry.url if entry.url and may_open(request, entry.url) else "",
            }
            for entry in timeline.entries(call_request)
        ],
    }


def fragment_response(request: HttpRequest, call_request: CallRequest) -> HttpResponseBase:
    """The live part of the page as HTML; 304 when it is what the caller has already."""
    context = snapshot(request, call_request, now=timezone.now())
    html = render_to_string("admin/requests_app/callrequest/live.html", context, request)
    etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    response = HttpResponse(html, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
    return get_conditional_response(request, etag=etag, response=response) or response
