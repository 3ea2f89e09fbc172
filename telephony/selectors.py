"""Reads of telephony: a request's attempts and events for its timeline, and what the webhook and the sweep look up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from callcenter.lib.database import any_of, as_list, rows_of
from callcenter.lib.secrets import digest
from requests_app.data import TimelineEntry
from requests_app.states import Outcome
from telephony.models import (
    AttemptEntry,
    CallAttempt,
    CallbackRegistration,
    DialerLine,
    DirectcallAccount,
    EventName,
    FieldAlias,
    ProviderEvent,
    RetryRule,
    StatusAlias,
)
from telephony.states import OCCUPYING, OPEN, AttemptState, Meaning, RegistrationState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from requests_app.models import CallRequest


def attempt_entries(call_request: CallRequest) -> list[TimelineEntry]:
    """Every move of every attempt of the request, as timeline lines. One query."""
    entries = AttemptEntry.objects.filter(attempt__call_request_id=call_request.pk).select_related(
        "attempt__line", "actor"
    )
    return [_attempt_line(entry) for entry in entries]


def event_entries(call_request: CallRequest) -> list[TimelineEntry]:
    """Every raw event that was applied to an attempt of the request, as timeline lines. One query."""
    events = ProviderEvent.objects.filter(attempt__call_request_id=call_request.pk).select_related("attempt")
    return [
        TimelineEntry(
            at=event.received_at,
            kind="event",
            title=(_("PABX: %(word)s") if event.line_id else _("Operadora: %(word)s")) % {"word": event.word},
            details=(
                (_("significado"), str(event.get_meaning_display())),
                (_("tentativa"), str(event.attempt.number if event.attempt else "")),
                ("ID_CHAMADA", event.provider_call_id) if event.line_id else (_("callerid"), event.carrier_call_id),
            ),
            url=reverse("admin:telephony_providerevent_change", args=[event.pk]),
        )
        for event in events
    ]


def callback_by_secret(secret: str) -> CallbackRegistration | None:
    """The registration of an enabled account whose path ends in this secret; None for any other text. One query.

    No secret is read before it is asked for: news must get in whatever has become of them.
    """
    accepted = CallbackRegistration.objects.filter(digest=digest(secret), account__is_enabled=True)
    secrets = [f"account__{name}" for name in DirectcallAccount.SECRET_FIELDS]
    return (
        accepted.exclude(state=RegistrationState.REMOVED)
        .select_related("account")
        .defer("secret", "password", *secrets)
        .first()
    )


def field_names() -> dict[str, list[str]]:
    """The names under which each piece of a callback's data may come: concept → names. One query."""
    names: dict[str, list[str]] = {}
    for alias in FieldAlias.objects.order_by("concept", "id"):
        names.setdefault(alias.concept, []).append(alias.name)
    return names


def status_words() -> dict[str, str]:
    """What each folded status word means: word → `Meaning`. One query."""
    return dict(StatusAlias.objects.values_list("word", "meaning"))


def retry_rule(company_id: int, *, outcome: str) -> RetryRule | None:
    """The company's own rule for an outcome with its hours, else everybody's; None = never tried again. Two queries."""
    rules = RetryRule.objects.filter(Q(company_id=company_id) | Q(company=None), outcome=outcome)
    rules = rules.prefetch_related("hours")
    return min(rules, key=lambda rule: rule.company_id is None, default=None)


def open_calls_by_line(line_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
    """How many calls occupy each of these lines; a line without any is left out. One query."""
    rows = (
        _occupying(now)
        .filter(line_id__in=list(line_ids))
        .values("line_id")
        .annotate(calls=Count("pk"))
        .values_list("line_id", "calls")
    )
    return dict(rows)


def open_call_count(company_ids: Iterable[int], *, now: datetime) -> int:
    """How many calls occupy all lines of these companies together. One query."""
    return _occupying(now).filter(company_id__in=list(company_ids)).count()


def open_calls_by_company(*, now: datetime) -> dict[int, int]:
    """How many calls occupy the lines of each company; one without any is left out. One query."""
    rows = _occupying(now).values("company_id").annotate(calls=Count("pk")).values_list("company_id", "calls")
    return dict(rows)


def _occupying(now: datetime) -> QuerySet[CallAttempt]:
    may_ring = now - timedelta(seconds=settings.DIALER_RING_TIMEOUT_SECONDS)
    return CallAttempt.objects.filter(Q(state__in=OCCUPYING) | Q(state=AttemptState.IN_DOUBT, sending_at__gt=may_ring))


def is_being_called() -> Q:
    """The condition on call requests that their number has an open attempt, of whatever line and company."""
    return Q(Exists(CallAttempt.objects.filter(phone_e164=OuterRef("phone_e164"), state__in=OPEN)))


def usable_line_ids() -> list[int]:
    """Ids of the lines that are on and whose company is active. One query."""
    usable = DialerLine.objects.filter(is_enabled=True, suspended_reason="", company__is_active=True)
    return list(usable.order_by("pk").values_list("pk", flat=True))


def _attempt_line(entry: AttemptEntry) -> TimelineEntry:
    attempt = entry.attempt
    details = [(_("tentativa"), str(attempt.number)), (_("linha"), str(attempt.line))]
    if entry.reason:
        details.append((_("motivo"), entry.reason_display))
    if entry.to_state == AttemptState.PLACED and attempt.provider_call_id:
        details.append(("ID_CHAMADA", attempt.provider_call_id))
    if entry.actor:
        details.append((_("por"), str(entry.actor)))
    return TimelineEntry(
        at=entry.at,
        kind="attempt",
        title=str(AttemptState(entry.to_state).label),
        details=tuple(details),
        url=reverse("admin:telephony_callattempt_change", args=[attempt.pk]),
    )


def was_answered_meanwhile(attempt: CallAttempt) -> bool:
    """Whether late news told, after this attempt was claimed, that an earlier one had been answered. One query."""
    return AttemptEntry.objects.filter(
        attempt__call_request_id=attempt.call_request_id,
        attempt__number__lt=attempt.number,
        attempt__outcome=Outcome.ANSWERED,
        from_state=AttemptState.ENDED,
        reason=Outcome.ANSWERED,
        at__gte=attempt.claimed_at,
    ).exists()


def was_called_again(attempt: CallAttempt) -> bool:
    """Whether a later attempt of the same request may have rung. One query."""
    later = CallAttempt.objects.filter(call_request_id=attempt.call_request_id, number__gt=attempt.number)
    return later.exclude(state__in=[AttemptState.CLAIMED, AttemptState.RELEASED, AttemptState.REFUSED]).exists()


def next_attempt_numbers(request_ids: Iterable[int]) -> dict[int, int]:
    """The number that the next attempt of each of these requests gets; 1 for those left out. One query."""
    rows = rows_of(
        "SELECT call_request_id, max(number) + 1 AS next FROM telephony_callattempt"
        f" WHERE {any_of('call_request_id')} GROUP BY call_request_id",
        [as_list(request_ids)],
    )
    return {row["call_request_id"]: row["next"] for row in rows}


def expired_attempts(states: Iterable[str], *, now: datetime, limit: int) -> list[CallAttempt]:
    """Up to `limit` attempts in these states whose worker's lease is over. One query."""
    return list(CallAttempt.objects.filter(state__in=list(states), lease_until__lt=now).order_by("lease_until")[:limit])


def silent_attempts(states: Iterable[str], *, since: datetime, limit: int) -> list[CallAttempt]:
    """Up to `limit` attempts in these states that were sent before `since`, and answered before it if they were.

    One whose sending this database has forgotten counts from its claim.
    """
    sent = CallAttempt.objects.annotate(sent_at=Coalesce("sending_at", "claimed_at"))
    return list(
        sent.filter(Q(answered_at=None) | Q(answered_at__lt=since), state__in=list(states), sent_at__lt=since).order_by(
            "sent_at"
        )[:limit]
    )


def pending_event_ids(*, state: str, before: datetime, after: datetime, limit: int) -> list[int]:
    """Ids of events in that state that came in between the two instants, the newest first. One query.

    The newest are the likeliest to be of use: old ones that will never fit must not stand in their way. Callbacks that
    nobody has tried to apply yet are none of them: they are applied together.
    """
    return list(
        ProviderEvent.objects.filter(~untried_callbacks(), state=state, received_at__lt=before, received_at__gt=after)
        .order_by("-id")
        .values_list("pk", flat=True)[:limit]
    )


def untried_callbacks() -> Q:
    """The condition on events that they are callbacks which wait for being applied together.

    What we asked the carrier is none: what it means depends on where it was said.
    """
    return Q(state=ProviderEvent.State.RECEIVED, source=ProviderEvent.Source.CALLBACK, account__isnull=False, tries=0)


def channel_in_use(line: DialerLine, *, now: datetime) -> int | None:
    """The channelID that the line's commands need now: the fixed one, else that of the open channel; None = none.

    No query for a line whose event channel was read with it.
    """
    channel = getattr(line, "event_channel", None)
    is_usable = line.channel_id is not None or (channel is not None and channel.is_open(now))
    return channel_number(line) if is_usable else None


def channel_number(line: DialerLine) -> int | None:
    """The number of the line's channel as it was read with it, whether or not somebody still listens to it.

    No query, as above.
    """
    if line.channel_id is not None:
        return line.channel_id
    channel = getattr(line, "event_channel", None)
    return channel.channel_id if channel is not None else None


def channels_wanted() -> dict[int, tuple[str, ...]]:
    """What each line's event channel is opened with, of the lines whose channel we open: another value = open anew.

    A line that was switched off keeps its channel while calls of it are on. The secrets are not decrypted. One query.
    """
    calls_on = CallAttempt.objects.filter(line=OuterRef("pk"), state__in=OPEN)
    rows = (
        DialerLine.objects.filter(Q(is_enabled=True, company__is_active=True) | Exists(calls_on), channel_id=None)
        .annotate(key=Cast("api_key", TextField()))
        .order_by("pk")
    )
    return {row[0]: row[1:] for row in rows.values_list("pk", "base_url", "device", "key")}


def event_meaning(name: str, detail: str) -> str:
    """What an event of the PABX means: a row for this result, else one for any; unknown when there is none. One query.

    Shape: a value of `Meaning` or `ChannelNews`.
    """
    rows = dict(EventName.objects.filter(name=name, detail__in={detail, ""}).values_list("detail", "meaning"))
    return str(rows.get(detail) or rows.get("") or Meaning.UNKNOWN)


def channel_process_is_missing(*, now: datetime) -> bool:
    """Whether lines are on whose event channels somebody should read, and nobody reads any. One query."""
    wanting = DialerLine.objects.filter(
        is_enabled=True, suspended_reason="", company__is_active=True, channel_id=None
    ).values_list("event_channel__lease_until", flat=True)
    return bool(wanting) and not any(until is not None and until > now for until in wanting)
