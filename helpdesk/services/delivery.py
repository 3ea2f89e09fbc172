"""Delivery: the table of messages is the queue, and each message on its way is one worker's at a time.

A try is claimed by compare-and-set for the length of a lease; a worker that dies leaves a lease that ends, and the same
message leaves again under the same id. Messages of one conversation leave in their order. A channel holds few places of
the pool, so a slow receiver slows nobody but itself.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, DomainError, NotFound
from callcenter.lib.secrets import SecretUnreadable
from helpdesk.channels import email, webhook
from helpdesk.channels.base import NotDelivered, Outgoing
from helpdesk.data import Bell, Done
from helpdesk.models import Message
from helpdesk.services.attachments import signed_links
from helpdesk.services.occurrences import log_occurrence
from helpdesk.services.rows import locked_atendimento
from helpdesk.states import Adapter, Delivery, OccurrenceCategory, OccurrenceStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet

    from helpdesk.models import Attendant

log = logging.getLogger(__name__)

POOL_SIZE: Final = 12
PLACES_OF_CHANNEL: Final = 3
# Longer than any try takes by its time-outs.
LEASE: Final = timedelta(seconds=90)
# What is waited after the first, second … failure; a chat that is later than this is no answer any more.
RETRY_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 7200))
MOST_TRIES: Final = len(RETRY_DELAYS) + 1
BATCH_SECONDS: Final = 30.0
LOOK_AGAIN_SECONDS: Final = 0.5

_turn = threading.Lock()
_SENDERS: Final[dict[str, Callable[[Outgoing], None]]] = {Adapter.EMAIL: email.send, Adapter.WEBHOOK: webhook.send}


@dataclass(frozen=True)
class Claim:
    """The right to one try of one message, until that instant."""

    message_id: uuid.UUID
    channel_id: uuid.UUID | None
    until: datetime


class LeaseLost(DomainError):
    """The try took so long to begin that the message is somebody else's by now."""

    code = "lease_lost"


def deliver_due_messages() -> int:
    """How many tries were made of what is due; returns when nothing is left that may be tried now.

    In each process one batch at a time takes new work, so a bell that rings while it does ends at once.
    """
    if not _due(timezone.now()).exists() or not _turn.acquire(blocking=False):
        return 0
    try:
        with ThreadPoolExecutor(max_workers=POOL_SIZE, thread_name_prefix="delivery") as pool:
            return _run_batch(pool)
    finally:
        _turn.release()


def claim_due_messages(*, now: datetime, limit: int, held: dict[uuid.UUID | None, int]) -> list[Claim]:
    """Claims of messages that may be tried now; `held` = how many each channel has under way here."""
    claims: list[Claim] = []
    due = _due(now)
    for channel_id in list(due.order_by().values_list("atendimento__channel_id", flat=True).distinct()):
        room = min(PLACES_OF_CHANNEL - held.get(channel_id, 0), limit - len(claims))
        if room <= 0:
            continue
        rows = due.filter(atendimento__channel_id=channel_id).order_by("next_attempt_at", "number")
        for pk, seen in list(rows.values_list("pk", "next_attempt_at")[:room]):
            until = now + LEASE
            mine = Message.objects.filter(pk=pk, delivery=Delivery.PENDING, next_attempt_at=seen)
            if mine.update(next_attempt_at=until, attempts=F("attempts") + 1):
                claims.append(Claim(pk, channel_id, until))
    return claims


def attempt_delivery(claim: Claim) -> None:
    """One try of a claimed message, and its result stored. Does nothing when the claim is no longer valid."""
    mine = _claimed(claim)
    message = mine.select_related("attendant", "atendimento__contact", "atendimento__address", "atendimento__channel")
    found = message.first()
    if found is None:
        return
    try:
        _send(found, mine)
    except LeaseLost:
        log.info("message %s: not sent, its turn is over", found.hash)
    except NotDelivered as error:
        _store_failure(claim, found, error, now=timezone.now())
    except SecretUnreadable:
        log.exception("message %s: its channel's secret can't be decrypted", found.hash)
        _store_failure(claim, found, NotDelivered(_("segredo ilegível"), permanent=True), now=timezone.now())
    except Exception:
        log.exception("message %s: the try failed", found.hash)
        _store_failure(claim, found, NotDelivered(_("erro interno")), now=timezone.now())
    else:
        now = timezone.now()
        mine.update(delivery=Delivery.SENT, next_attempt_at=None, delivered_at=now, delivery_error="", updated_at=now)


def send_again(key: uuid.UUID, *, scope: Iterable[int] | None, now: datetime, by: Attendant | None = None) -> Done:
    """The message that did not leave is on its way again, with all its tries.

    Errors: `NotFound`; `Conflict` when it is on its way or has left.
    Effects: an entry in the log; ring `Bell.DELIVER`.
    """
    with transaction.atomic():
        message = Message.objects.visible_to(scope).known_as(key).first()
        if message is None:
            raise NotFound(_("Não existe esta mensagem."))
        atendimento = locked_atendimento(message.atendimento_id, scope=scope)
        failed = Message.objects.filter(pk=message.pk, delivery=Delivery.FAILED)
        if not failed.update(delivery=Delivery.PENDING, next_attempt_at=now, attempts=0, updated_at=now):
            raise Conflict(_("Só uma mensagem que não foi enviada pode ser enviada de novo."))
        log_occurrence(
            atendimento,
            OccurrenceCategory.DELIVERY_FAILED,
            now=now,
            message=_("Enviada de novo"),
            actor=by,
            message_hash=str(message.hash),
        )
        message.refresh_from_db()
    return Done(atendimento, message=message, bells=frozenset({Bell.DELIVER}))


def _due(now: datetime) -> QuerySet[Message]:
    """What may be tried now: of each conversation the earliest that has not left."""
    earlier = Message.objects.filter(
        atendimento=OuterRef("atendimento"), delivery=Delivery.PENDING, number__lt=OuterRef("number")
    )
    rows: QuerySet[Message] = Message.objects.filter(delivery=Delivery.PENDING, next_attempt_at__lte=now)
    return rows.filter(~Exists(earlier))


def _claimed(claim: Claim) -> QuerySet[Message]:
    rows: QuerySet[Message] = Message.objects.filter(
        pk=claim.message_id, delivery=Delivery.PENDING, next_attempt_at=claim.until
    )
    return rows


def _run_batch(pool: ThreadPoolExecutor) -> int:
    ends, count = time.monotonic() + BATCH_SECONDS, 0
    running: dict[Future[None], uuid.UUID | None] = {}
    while time.monotonic() < ends:
        held: dict[uuid.UUID | None, int] = {}
        for channel_id in running.values():
            held[channel_id] = held.get(channel_id, 0) + 1
        claims = claim_due_messages(now=timezone.now(), limit=POOL_SIZE - len(running), held=held)
        running.update({pool.submit(_attempt_in_thread, claim): claim.channel_id for claim in claims})
        count += len(claims)
        if not running:
            break
        for done in wait(running, timeout=LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED).done:
            del running[done]
    return count


def _attempt_in_thread(claim: Claim) -> None:
    # A pool's thread has a database connection of its own, which nobody else would close.
    try:
        attempt_delivery(claim)
    except Exception:
        log.exception("message %s: its result was not stored; it is tried again", claim.message_id)
    finally:
        connection.close()


def _send(message: Message, mine: QuerySet[Message]) -> None:
    atendimento, channel = message.atendimento, message.atendimento.channel
    if atendimento.deleted_at is not None or channel is None or not channel.is_active:
        raise NotDelivered(_("canal inativo ou atendimento excluído"), permanent=True)
    send = _SENDERS.get(channel.adapter)
    if send is None:
        raise NotDelivered(_("o canal não tem saída"), permanent=True)

    def renew() -> None:
        if not mine.filter(next_attempt_at__gt=timezone.now()).exists():
            raise LeaseLost
        # There may be many of us, and a stranger is waited for.
        if not connection.in_atomic_block:
            connection.close()

    files = tuple(message.attachments.all())
    address = atendimento.address.address if atendimento.address is not None else ""
    send(Outgoing(message, atendimento, channel, address, files, signed_links(files), renew))


def _store_failure(claim: Claim, message: Message, error: NotDelivered, *, now: datetime) -> None:
    mine = _claimed(claim)
    if not error.permanent and message.attempts < MOST_TRIES:
        delay = max(RETRY_DELAYS[message.attempts - 1], timedelta(seconds=error.retry_after_seconds or 0))
        mine.update(next_attempt_at=now + delay, delivery_error=error.reason[:200], updated_at=now)
        return
    with transaction.atomic():
        atendimento = message.atendimento
        if atendimento.deleted_at is None:
            atendimento = locked_atendimento(message.atendimento_id, scope=None)
        failed = {"delivery": Delivery.FAILED, "next_attempt_at": None, "delivery_error": error.reason[:200]}
        if mine.update(updated_at=now, **failed):
            log_occurrence(
                atendimento,
                OccurrenceCategory.DELIVERY_FAILED,
                now=now,
                status=OccurrenceStatus.ERROR,
                actor=message.attendant,
                message_hash=str(message.hash),
                error=error.reason,
                tries=message.attempts,
            )
    log.warning("message %s: given up after %s tries (%s)", message.hash, message.attempts, error.reason)
