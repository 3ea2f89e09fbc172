"""Which attempt an event of the PABX's channel is about; `events` applies it like the carrier's news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from callcenter.lib.database import serialize
from telephony import selectors
from telephony.models import CallAttempt, ProviderEvent
from telephony.providers.digitro.channel_events import read_stored
from telephony.services import moves
from telephony.states import ChannelNews, Meaning

if TYPE_CHECKING:
    import uuid

    from telephony.providers.digitro.channel_events import PabxEvent


def match(event: ProviderEvent) -> CallAttempt | None:
    """The attempt that the event is about, locked; None when there is none, or not yet.

    Effects: what the event says is taken over into its columns, to be saved by the caller; one that is about no call
    of this line is set to ignored.
    Errors: `UnreadableEvent`.
    """
    told = read_stored(bytes(event.raw))
    meaning = selectors.event_meaning(told.name, told.detail)
    event.word, event.provider_call_id = f"{told.name} {told.detail}".strip()[:64], told.call_id
    event.meaning = meaning if meaning in Meaning.values else ""
    is_about_a_call = bool(told.call_id or told.token)
    if meaning in ChannelNews.values or not is_about_a_call:
        event.state = ProviderEvent.State.IGNORED
        return None
    # Two events of one call must not both look for its attempt before either has found it.
    serialize(f"pabx-call:{event.line_id}:{told.call_id or told.token}")
    if told.token is not None and _is_another_lines(told.token, event):
        event.state = ProviderEvent.State.IGNORED
        return None
    attempt_id = _attempt_id(event, told)
    if attempt_id is None:
        return None
    attempt = moves.locked(attempt_id)
    _take_call_id(attempt, told.call_id)
    return attempt


def _is_another_lines(token: uuid.UUID, event: ProviderEvent) -> bool:
    """Whether the call is one of ours, but of another line, which hears of it by its own channel."""
    return CallAttempt.objects.filter(token=token).exclude(line_id=event.line_id).exists()


def _attempt_id(event: ProviderEvent, told: PabxEvent) -> int | None:
    """By our token, by the call's id, or by an id that came before together with the token (another leg's, say)."""
    of_line = CallAttempt.objects.filter(line_id=event.line_id)
    if told.token is not None:
        found = of_line.filter(token=told.token).values_list("pk", flat=True).first()
        if found is not None:
            return found
    if not told.call_id:
        return None
    found = of_line.filter(provider_call_id=told.call_id).values_list("pk", flat=True).first()
    if found is not None:
        return found
    known = ProviderEvent.objects.filter(
        line_id=event.line_id, provider_call_id=told.call_id, attempt__isnull=False
    ).order_by("-id")
    return known.values_list("attempt_id", flat=True).first()


def _take_call_id(attempt: CallAttempt, call_id: str) -> None:
    """Keep the id of a call whose POST was never answered, so that it can be commanded."""
    if not call_id or attempt.provider_call_id:
        return
    try:
        with transaction.atomic():
            attempt.provider_call_id = call_id
            attempt.save(update_fields=["provider_call_id"])
    except IntegrityError:
        attempt.provider_call_id = ""
