"""Missed callbacks: a wanted time that passed without a call gets a decision, an owner and a deadline."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef
from django.utils.translation import gettext as _

from callcenter.accounts.models import User
from callcenter.accounts.selectors import assignable_users
from callcenter.lib.database import for_update
from callcenter.lib.errors import Conflict, NotFound
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry, MissedCallback
from requests_app.schedule import first_due_at
from requests_app.services.ledger import record
from requests_app.services.slots import slot_for
from requests_app.states import OPEN, Hold, MissedAction, Priority, Source, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

log = logging.getLogger(__name__)

DIALER: Final = Origin(source=Source.DIALER)
# So many of a company a round; the rest is a round later.
BATCH: Final = 200
# What was missed longer ago than this is history: a watch that is switched on does not dig it up.
LOOK_BACK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_CALLED: Final = (LedgerEntry.Kind.OUTCOME, LedgerEntry.Kind.ANSWERED, LedgerEntry.Kind.IN_DOUBT)
Resolution = MissedCallback.Resolution


def watch_callbacks(*, now: datetime) -> dict[str, int]:
    """How many missed callbacks were noticed, and how many were resolved. Safe to repeat, and for several at once.

    Effects: one transaction for each, so that one that fails stops no other.
    """
    noticed = 0
    for policy in CallbackPolicy.objects.filter(missed_after_minutes__gt=0, company__is_active=True):
        for request_id in _missed(policy, now=now).values_list("pk", flat=True)[:BATCH]:
            try:
                noticed += _notice(request_id, policy, now=now)
            except Exception:
                log.exception(
                    "request %s: its missed callback could not be noted; the next round tries again", request_id
                )
    return {"noticed": noticed, "resolved": _resolve(now=now)}


def decide_missed(
    missed_id: int, *, action: MissedAction, scope: Iterable[int] | None, origin: Origin, now: datetime
) -> MissedCallback:
    """The missed callback, with what a person decided done to its request; who hands it over takes it themselves.

    Errors: `NotFound`; `Conflict` when it is resolved, or its request is being called or closed.
    """
    with transaction.atomic():
        visible = MissedCallback.objects.filter(pk=missed_id)
        if scope is not None:
            visible = visible.filter(company_id__in=list(scope))
        missed = for_update(visible).first()
        if missed is None:
            raise NotFound(_("Não existe um retorno perdido com este número."))
        call_request = for_update(CallRequest.objects.filter(pk=missed.call_request_id)).select_related("company").get()
        if missed.resolved_at is not None or not call_request.is_open or call_request.in_flight:
            raise Conflict(_("O retorno já foi resolvido, ou a ligação está em curso."))
        policy = CallbackPolicy.objects.filter(company_id=missed.company_id).first()
        missed.action, missed.owner = action, origin.actor
        missed.deadline_at = _act(call_request, policy, action, owner=origin.actor, origin=origin, now=now)
        if action == MissedAction.CLOSE:
            missed.resolved_at, missed.resolution = now, Resolution.CLOSED
        missed.save(update_fields=["action", "owner", "deadline_at", "resolved_at", "resolution"])
    return missed


def _missed(policy: CallbackPolicy, *, now: datetime) -> QuerySet[CallRequest]:
    """The requests whose wanted time passed so long ago, that the dialer should have called, and did not."""
    called = LedgerEntry.objects.filter(call_request_id=OuterRef("pk"), kind__in=_CALLED, at__gte=OuterRef("wanted_at"))
    known = MissedCallback.objects.filter(call_request_id=OuterRef("pk"), wanted_at=OuterRef("wanted_at"))
    passed = now - timedelta(minutes=policy.missed_after_minutes)
    return (
        CallRequest.objects.filter(
            company_id=policy.company_id,
            status__in=OPEN,
            in_flight=False,
            due_at__isnull=False,
            wanted_at__lte=passed,
            wanted_at__gt=now - LOOK_BACK,
        )
        .filter(~Exists(called), ~Exists(known))
        .order_by("wanted_at", "pk")
    )


def _notice(request_id: int, policy: CallbackPolicy, *, now: datetime) -> bool:
    with transaction.atomic():
        # Read again under the lock: the dialer may have claimed it, or another round been quicker.
        call_request = for_update(_missed(policy, now=now).filter(pk=request_id)).select_related("company").first()
        if call_request is None or call_request.wanted_at is None:
            return False
        action, wanted_at = MissedAction(policy.missed_action), call_request.wanted_at
        owner = _owner(call_request, policy, hands_over=action == MissedAction.REASSIGN)
        if owner is None and action == MissedAction.REASSIGN:
            # Nobody to hand it to: the dialer keeps it.
            action = MissedAction.RETRY_NOW
        is_closed = action == MissedAction.CLOSE
        open_rows = MissedCallback.objects.filter(call_request_id=request_id, resolved_at=None)
        open_rows.update(resolved_at=now, resolution=Resolution.MOVED)
        MissedCallback.objects.create(
            company_id=call_request.company_id,
            call_request=call_request,
            wanted_at=wanted_at,
            noticed_at=now,
            action=action,
            owner=owner,
            deadline_at=_act(call_request, policy, action, owner=owner, origin=DIALER, now=now),
            resolved_at=now if is_closed else None,
            resolution=Resolution.CLOSED if is_closed else "",
        )
    return True


def _act(
    call_request: CallRequest,
    policy: CallbackPolicy | None,
    action: MissedAction,
    *,
    owner: User | None,
    origin: Origin,
    now: datetime,
) -> datetime:
    """The deadline of the decision, which is done to the locked request and written into its ledger."""
    minutes = policy.missed_deadline_minutes if policy else 60
    deadline_at, before = now + timedelta(minutes=minutes), call_request.status
    match action:
        case MissedAction.RETRY_NOW:
            _schedule(call_request, wanted_at=None, now=now)
            call_request.priority = max(call_request.priority, Priority.HIGH)
        case MissedAction.NEXT_DAY:
            wanted_at = _next_day(call_request, now=now)
            _schedule(call_request, wanted_at=wanted_at, now=now)
            slot = slot_for(call_request, desired_at=call_request.due_at or wanted_at, now=now)
            if slot is not None:
                call_request.due_at = slot.given_at
            call_request.wanted_at = call_request.due_at
            deadline_at = (call_request.due_at or wanted_at) + timedelta(minutes=minutes)
        case MissedAction.REASSIGN:
            call_request.status, call_request.responsible = Status.IN_PROGRESS, owner
            call_request.due_at, call_request.hold_reason = None, Hold.WITH_PERSON
        case MissedAction.CLOSE:
            call_request.status, call_request.due_at, call_request.hold_reason = Status.NO_ANSWER, None, Hold.FINISHED
    call_request.updated_at = now
    call_request.save(
        update_fields=["status", "responsible", "priority", "wanted_at", "due_at", "hold_reason", "updated_at"]
    )
    moved: dict[str, Any] = {}
    if before != call_request.status:
        moved = {"from_status": before, "to_status": call_request.status}
    kind = LedgerEntry.Kind.STATUS if moved else LedgerEntry.Kind.SCHEDULED
    record(call_request, kind, origin=origin, at=now, reason=f"missed_{action}", **moved)
    return deadline_at


def _schedule(call_request: CallRequest, *, wanted_at: datetime | None, now: datetime) -> None:
    call_request.due_at, call_request.hold_reason = first_due_at(
        now=now,
        wanted_at=wanted_at,
        time_from=call_request.time_from,
        time_to=call_request.time_to,
        zone=call_request.company.zone,
    )


def _next_day(call_request: CallRequest, *, now: datetime) -> datetime:
    """The first instant after now, on another day than the wanted one, at its clock time."""
    zone = call_request.company.zone
    local = (call_request.wanted_at or now).astimezone(zone) + _DAY
    while local <= now:
        local += _DAY
    return local


def _owner(call_request: CallRequest, policy: CallbackPolicy, *, hands_over: bool) -> User | None:
    """Who sees to it: the policy's owner, the request's own responsible, else whoever there has the fewest.

    What is handed over goes to somebody else than had it, if there is anybody.
    """
    responsible = call_request.responsible
    if not hands_over:
        named = responsible if responsible is not None and responsible.is_active else policy.missed_owner
        if named is not None and named.is_active:
            return named
    people = [person for person in assignable_users([call_request.company_id]) if person.is_active]
    others = [person for person in people if person.pk != call_request.responsible_id] or people
    if policy.missed_owner in others:
        return policy.missed_owner
    open_rows = MissedCallback.objects.filter(company_id=call_request.company_id, resolved_at=None)
    loads = dict(open_rows.values_list("owner_id").annotate(rows=Count("pk")).values_list("owner_id", "rows"))
    available = User.Presence.AVAILABLE
    return min(others, key=lambda one: (one.presence != available, loads.get(one.pk, 0), one.pk), default=None)


def _resolve(*, now: datetime) -> int:
    """How many open rows have come to their end: the request was called, closed, taken by a person, or moved."""
    called = LedgerEntry.objects.filter(
        call_request_id=OuterRef("call_request_id"), kind__in=_CALLED, at__gte=OuterRef("noticed_at")
    )
    waiting = MissedCallback.objects.filter(resolved_at=None)
    settled = 0
    for resolution, rows in (
        (Resolution.CALLED, waiting.filter(Exists(called))),
        (Resolution.CLOSED, waiting.exclude(call_request__status__in=OPEN)),
        (
            Resolution.TAKEN,
            waiting.filter(call_request__hold_reason=Hold.WITH_PERSON).exclude(action=MissedAction.REASSIGN),
        ),
        (
            Resolution.MOVED,
            waiting.filter(action=MissedAction.RETRY_NOW, call_request__wanted_at__gt=F("wanted_at")),
        ),
    ):
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        settled += MissedCallback.objects.filter(pk__in=ids, resolved_at=None).update(
            resolved_at=now, resolution=resolution
        )
    return settled
