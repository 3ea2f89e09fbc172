"""Plays the demo's stories through the real services, so that ledgers, attempts and events agree with each other."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from callcenter.demo.setting import AURORA, Cast, Shop
from callcenter.demo.stories import STORIES, Story
from requests_app.data import Origin
from requests_app.services.calls import DIALER, claim_requests, settle_request
from requests_app.services.intake import change_call_request, create_call_request
from requests_app.states import Outcome, Source
from telephony.models import CallAttempt
from telephony.services import moves
from telephony.services.events import apply_event, store_event
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from datetime import datetime

    from requests_app.models import CallRequest

S = AttemptState

# What the carrier says of a call that ended so, in order: its word, and how many seconds after the PABX took the call.
_NEWS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "answered": (("chamando", 2), ("atendeu", 11), ("desligou", 190)),
    "dropped": (("chamando", 2), ("atendeu", 11), ("desligou", 15)),
    "busy": (("ocupado", 4),),
    "no_answer": (("chamando", 3), ("nao atendeu", 38)),
    "machine": (("chamando", 2), ("caixa postal", 24)),
    "invalid": (("numero invalido", 3),),
    "failed": (("falha", 5),),
}
_TALKED: Final = {"answered": "00:02:59", "dropped": "00:00:04"}
_CARRIER_ZONE: Final = ZoneInfo("America/Sao_Paulo")
_NO_NEWS_AFTER: Final = timedelta(seconds=300)


def play_stories(cast: Cast, *, now: datetime) -> None:
    """Every story up to now: requests with ledgers, attempts with entries, and the carrier's events.

    Effects: a few hundred rows; call inside a transaction.
    """
    for story in STORIES:
        _play(story, cast, now=now)
    _receive_strays(cast, now=now)


def _play(story: Story, cast: Cast, *, now: datetime) -> None:
    company = cast.companies[story.shop]
    began = now - timedelta(minutes=story.minutes_ago)
    fields: dict[str, Any] = {"name": story.name, "phone": story.phone, **story.fields}
    if "responsible_id" in fields:
        fields["responsible_id"] = cast.people[fields["responsible_id"]].pk
    if story.wanted_in_minutes is not None:
        fields["wanted_at"] = now + timedelta(minutes=story.wanted_in_minutes)
    if story.window is not None:
        fields["time_from"], fields["time_to"] = (
            f"{(now + timedelta(hours=hours)).astimezone(company.zone):%H}:00" for hours in story.window
        )
    call_request = create_call_request(company.pk, origin=Origin(source=story.source), now=began, fields=fields)
    ended = began
    for fate in story.calls:
        call_request.refresh_from_db()
        ended = _play_call(call_request, fate, story, cast, after=ended)
    if story.then is not None:
        person = cast.people[story.person]
        change_call_request(
            call_request.pk,
            scope=None,
            origin=Origin(source=Source.ADMIN, actor=person),
            now=ended + timedelta(minutes=3),
            fields={"status": story.then, "responsible_id": person.pk},
        )


def _play_call(call_request: CallRequest, fate: str, story: Story, cast: Cast, *, after: datetime) -> datetime:
    """When the call ended, or was left in doubt."""
    line = cast.lines[story.shop]
    claimed_at = max(call_request.due_at or after, after + timedelta(seconds=4))
    claim_requests([call_request.pk], now=claimed_at)
    sent_at = claimed_at + timedelta(milliseconds=400)
    attempt = CallAttempt.objects.create(
        call_request=call_request,
        company_id=call_request.company_id,
        line=line,
        number=call_request.call_attempts.count() + 1,
        phone_e164=call_request.phone_e164,
        claimed_at=claimed_at,
        send_at=claimed_at,
    )
    moves.move(attempt, S.SENDING, expected=[S.CLAIMED], reason=MoveReason.INTENT, now=sent_at, sending_at=sent_at)
    if fate == "in_doubt":
        moves.doubt(attempt, reason=MoveReason.AMBIGUOUS, now=sent_at + timedelta(seconds=10), error_code="ambiguous")
        return sent_at
    if fate == "refused":
        return _play_refusal(attempt, now=sent_at + timedelta(milliseconds=90))
    placed_at = sent_at + timedelta(milliseconds=120)
    moves.move(
        attempt,
        S.PLACED,
        expected=[S.SENDING],
        reason=MoveReason.ACCEPTED,
        now=placed_at,
        placed_at=placed_at,
        # In the shape of the vendor's example, "08/07/24 10:46:19 010A 0974/00".
        provider_call_id=f"{placed_at.astimezone(line.company.zone):%d/%m/%y %H:%M:%S} 00D3 {attempt.pk:04d}/00",
    )
    if fate == "no_news":
        silent_at = placed_at + _NO_NEWS_AFTER
        moves.end(attempt, Outcome.NO_NEWS, expected=[S.PLACED], reason=MoveReason.NO_NEWS, now=silent_at)
        return silent_at
    return _play_news(attempt, fate, story, cast)


def _play_refusal(attempt: CallAttempt, *, now: datetime) -> datetime:
    moves.move(
        attempt,
        S.REFUSED,
        expected=[S.SENDING],
        reason=MoveReason.REFUSED,
        now=now,
        ended_at=now,
        outcome=Outcome.REFUSED,
        error_code="refused",
        error_status=400,
    )
    if attempt.call_request_id is not None:
        settle_request(attempt.call_request_id, outcome=Outcome.REFUSED, retry_at=None, now=now, origin=DIALER)
    return now


def _play_news(attempt: CallAttempt, fate: str, story: Story, cast: Cast) -> datetime:
    placed_at = attempt.placed_at or attempt.claimed_at
    told_at = placed_at
    for word, seconds in _NEWS[fate]:
        told_at = placed_at + timedelta(seconds=seconds)
        data = {
            "callerid": str(uuid.uuid5(attempt.token, "callerid")),
            "origem": story.shop.originator,
            "destino": attempt.phone_e164.removeprefix("+"),
            "status": word,
            "inicio": f"{placed_at.astimezone(_CARRIER_ZONE):%Y-%m-%d %H:%M:%S}",
            "duracao": _TALKED[fate] if word == "desligou" else "00:00:00",
            "pin": story.shop.originator,
        }
        _receive(cast, story.shop, f"data={quote_plus(json.dumps(data))}", at=told_at)
    return told_at


def _receive_strays(cast: Cast, *, now: datetime) -> None:
    """News of a call that is not ours, and a body that was cut off: both wait where staff see them."""
    stray = {
        "callerid": "7d0c4b1e-2f8a-4f6b-9a55-0f6f3a6f1c01",
        "origem": "551155550000",
        "destino": "5511955509999",
        "status": "ocupado",
        "inicio": f"{(now - timedelta(hours=2)).astimezone(_CARRIER_ZONE):%Y-%m-%d %H:%M:%S}",
    }
    text = json.dumps(stray)
    _receive(cast, AURORA, f"data={quote_plus(text)}", at=now - timedelta(hours=2))
    _receive(cast, AURORA, f"data={quote_plus(text[: len(text) // 2])}", at=now - timedelta(hours=1))


def _receive(cast: Cast, shop: Shop, body: str, *, at: datetime) -> None:
    event = store_event(
        cast.accounts[shop], body=body.encode(), content_type="application/x-www-form-urlencoded", now=at
    )
    apply_event(event.pk, now=at)
