"""The recordings of calls: where the carrier keeps one, and its sound handed through, with a row of who listened.

The carrier's links are guessable from a call's id and ask for no password, so nobody ever sees one: the sound passes
through us, from the carrier's own hosts only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, NotFound
from callcenter.lib.outbound import OutboundError, Timeouts, fetch
from telephony import selectors
from telephony.models import CallAttempt, DirectcallAccount, RecordingPlay
from telephony.providers.base import ProviderError
from telephony.providers.directcall import wire
from telephony.providers.directcall.callback import UnreadableCallback, parse_callback
from telephony.services.asking import fitting_records
from telephony.services.carrier import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callcenter.accounts.models import User

_TYPES: Final = ("audio/", "application/octet-stream")
_REACH: Final = timedelta(minutes=30)
# A conversation of hours, slowly sent.
_MOST_SECONDS: Final = 600


@dataclass(frozen=True)
class Sound:
    """A recording on its way: its media type, and its bytes as they come."""

    content_type: str
    chunks: Iterator[bytes]


def play_recording(attempt: CallAttempt, *, actor: User, now: datetime) -> Sound:
    """The sound of the attempt's recording.

    Errors: `NotFound` when the carrier has none; `Conflict` when it can't be had now, or lies where nothing of the
    carrier's is.
    Effects: one row that says who asked for it and what came of it, before the first byte.
    """
    play = RecordingPlay(attempt=attempt, company_id=attempt.company_id, user=actor, at=now)
    try:
        sound = _opened(_address(attempt))
    except (NotFound, Conflict) as refusal:
        play.result = refusal.code
        play.save()
        raise
    play.result = "played"
    play.save()
    return sound


def is_carriers_host(url: str) -> bool:
    """Whether the address is on one of `RECORDING_HOSTS` or below it, at the ordinary port unless one is named."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return False
    named = [name.lower() for name in settings.RECORDING_HOSTS]
    if port is not None:
        return f"{host}:{port}" in named
    return any(host == name or host.endswith(f".{name}") for name in named)


def _address(attempt: CallAttempt) -> str:
    """Where the carrier keeps the recording: as its news told, else as its statement does.

    Errors: `NotFound`; `Conflict` when the carrier can't be asked.
    """
    names, words = selectors.field_names(), selectors.status_words()
    for event in attempt.events.filter(account__isnull=False).order_by("-pk")[:20]:
        try:
            told = parse_callback(bytes(event.raw), event.content_type, field_names=names, status_words=words)
        except UnreadableCallback:
            continue
        if told.recording_url:
            return told.recording_url
    account = (
        DirectcallAccount.objects.filter(company_id=attempt.company_id, is_enabled=True).exclude(client_id="").first()
    )
    called_at = attempt.sending_at or attempt.claimed_at
    if account is not None:
        try:
            page = client_of(account).statement(
                since=called_at - _REACH,
                until=called_at + _REACH,
                destination=wire.carrier_number(attempt.phone_e164),
                with_recordings_only=True,
            )
        except ProviderError as error:
            raise Conflict(_("A operadora não pôde ser consultada agora.")) from error
        urls = {record.recording_url for record in fitting_records(attempt, page.records)} - {""}
        if len(urls) == 1:
            return urls.pop()
    raise NotFound(_("A operadora não tem gravação desta chamada."))


def _opened(url: str) -> Sound:
    if not is_carriers_host(url):
        raise Conflict(_("O endereço da gravação não é da operadora."))
    parts = urlsplit(url)
    is_named_with_port = parts.port is not None
    timeouts = Timeouts(connect_seconds=settings.DIRECTCALL_CONNECT_TIMEOUT_SECONDS, total_seconds=_MOST_SECONDS)
    try:
        # A host that the operator named with its port may be inside; every other one must be public.
        status, content_type, chunks = fetch(url, timeouts=timeouts, may_be_inside=is_named_with_port)
    except OutboundError as error:
        raise Conflict(_("A gravação não pôde ser buscada agora.")) from error
    if status != 200 or not content_type.lower().startswith(_TYPES):
        chunks.close()
        raise NotFound(_("A operadora não tem gravação desta chamada."))
    return Sound(content_type=content_type, chunks=chunks)
