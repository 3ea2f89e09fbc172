"""The addresses that the carrier posts its news to: registered there, verified, changed without a gap, removed.

Each step is one committed intent and one question to the carrier, so that a crash between any two is taken up where it
was (`tend_callbacks`). An address is accepted from before it is registered until after it is removed.
"""

from __future__ import annotations

import base64
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from callcenter.lib.database import for_update
from callcenter.lib.errors import Conflict, DomainError
from callcenter.lib.secrets import digest, random_token
from callcenter.lib.states import transition
from telephony.models import CallbackRegistration, DirectcallAccount
from telephony.providers.base import Ambiguous, ProviderError
from telephony.providers.http import Timeouts, post
from telephony.services.carrier import client_of
from telephony.states import (
    REGISTRATION_MOVES,
    UNFINISHED_REGISTRATIONS,
    RegistrationProblem,
    RegistrationState,
)

if TYPE_CHECKING:
    from telephony.providers.directcall.wire import RegisteredCallback

log = logging.getLogger(__name__)

S = RegistrationState
P = RegistrationProblem

SELF_TEST_HEADER: Final = "X-Callcenter-Self-Test"
_USERNAME: Final = "directcall"
# A step that somebody began and that is older than this was left by a process that died.
STEP_LEASE: Final = timedelta(seconds=60)
# How often an address in use is looked for in the carrier's list.
VERIFY_EVERY: Final = timedelta(hours=24)
# What passes by itself; the job tries again.
_PASSING: Final = frozenset({P.NOT_SENT, P.UNAVAILABLE})


def prepare_callback(account: DirectcallAccount, *, now: datetime) -> CallbackRegistration:
    """The account's address that is not in use yet; a new secret one when there is none. Safe to repeat."""
    with transaction.atomic():
        # Two who prepare at once get the same one.
        for_update(DirectcallAccount.objects.filter(pk=account.pk).defer(*DirectcallAccount.SECRET_FIELDS)).get()
        waiting = account.registrations.filter(state__in=UNFINISHED_REGISTRATIONS).first()
        if waiting is not None:
            return waiting
        secret = random_token(40)
        return CallbackRegistration.objects.create(
            account=account,
            state_since=now,
            created_at=now,
            secret=secret,
            digest=digest(secret),
            username=_USERNAME if account.uses_basic else "",
            password=random_token(32) if account.uses_basic else "",
        )


def callback_url(registration: CallbackRegistration, *, with_credentials: bool = False) -> str:
    """The address that the carrier posts to; with the Basic credentials inside when asked for and set.

    The carrier knows no other way to authenticate, and its page tells to put them there.
    """
    url = f"{settings.PUBLIC_URL}{reverse('directcall-callback', args=[registration.secret])}"
    if not (with_credentials and registration.username):
        return url
    parts = urlsplit(url)
    user = f"{quote(registration.username, safe='')}:{quote(registration.password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


def register_callback(account: DirectcallAccount, *, now: datetime) -> CallbackRegistration:
    """The account's address in use: the verified one, looked for once more, or a prepared one brought so far.

    Errors: `ProviderError`, `Conflict` when another process is at it; what was done is kept.
    *Safe to repeat?* Yes.
    """
    current = account.registrations.filter(state=S.VERIFIED).first()
    if current is None or account.registrations.filter(state__in=UNFINISHED_REGISTRATIONS).exists():
        return _brought_in(prepare_callback(account, now=now), now=now)
    verify_callback(current, now=now)
    return current if current.state == S.VERIFIED else _brought_in(current, now=now)


def rotate_callback(account: DirectcallAccount, *, now: datetime) -> CallbackRegistration:
    """A new address with new credentials in use; the former ones are removed once it is verified, and not before.

    Errors: as `register_callback`; the former address stays in use then. *Safe to repeat?* One that was left half done
    is continued.
    """
    return _brought_in(prepare_callback(account, now=now), now=now)


def remove_callbacks(account: DirectcallAccount, *, now: datetime) -> int:
    """How many addresses the carrier was made to forget; none of the account is accepted any more.

    Errors: `ProviderError`, and then the job goes on with it; `Conflict` while one is being registered.
    """
    if account.registrations.filter(state=S.REGISTERING, state_since__gt=now - STEP_LEASE).exists():
        raise Conflict("Another process is registering an address of this account; try again in a minute.")
    _retire(list(account.registrations.exclude(state__in=[S.REMOVED, S.REMOVING])), now=now)
    leaving = list(account.registrations.filter(state=S.REMOVING))
    for registration in leaving:
        _remove(registration, now=now)
    return len(leaving)


def listed_callbacks(account: DirectcallAccount) -> list[RegisteredCallback]:
    """Every address that the carrier has registered for this account, ours and others.

    Errors: `ProviderError`.
    """
    return client_of(account).list_callbacks()


def verify_callback(registration: CallbackRegistration, *, now: datetime) -> None:
    """Nothing; the address is `verified` if the carrier lists it and our own server takes a delivery to it.

    One that the carrier does not list any more goes back to be registered. A test that can't reach our server is told
    and stops nothing: many networks can't reach themselves by their public name.

    Errors: `ProviderError`.
    """
    try:
        listed = [each for each in listed_callbacks(registration.account) if registration.secret in each.url]
    except ProviderError as error:
        _note(registration, P(error.code))
        raise
    if not any(each.code == registration.code for each in listed):
        _note(registration, P.NOT_LISTED)
        others = registration.account.registrations.filter(state__in=UNFINISHED_REGISTRATIONS)
        # Its successor is on the way already: nothing is gained by bringing this one back.
        if not others.exclude(pk=registration.pk).exists():
            _move(registration, S.REGISTERED, expected=[S.VERIFIED], now=now)
            _move(registration, S.PREPARED, expected=[S.REGISTERED], now=now, code="")
        return
    problem = _self_test(registration)
    if problem == P.SELF_TEST_REFUSED:
        _note(registration, problem)
        raise Conflict(str(problem.label))
    if registration.state == S.VERIFIED:
        _note(registration, problem, verified_at=now)
    else:
        _take_over(registration, problem, now=now)


def tend_callbacks(*, now: datetime) -> dict[str, int]:
    """How many registrations were continued, removed and looked for again. Safe to repeat and to run at once.

    Whatever a crash left half done is taken up; an address in use is looked for in the carrier's list once a day.
    """
    done = {"continued": 0, "removed": 0, "verified": 0, "failed": 0}
    for registration_id in _left_behind(now):
        try:
            kind = _tend(CallbackRegistration.objects.select_related("account").get(pk=registration_id), now=now)
        except DomainError as error:
            # Of the carrier, or of a secret that can't be decrypted: the others go on.
            log.warning("callback registration %s: %s", registration_id, error.code)
            kind = "failed"
        done[kind] += 1
    return done


def _left_behind(now: datetime) -> list[int]:
    found = CallbackRegistration.objects.filter(account__is_enabled=True)
    stale = Q(state_since__lt=now - STEP_LEASE)
    wanted = (
        stale & Q(state__in=[S.REGISTERING, S.REGISTERED, S.REMOVING])
        | stale & Q(state=S.PREPARED, problem__in=[*_PASSING, P.NOT_LISTED])
        | Q(state=S.VERIFIED, verified_at__lt=now - VERIFY_EVERY)
    )
    return list(found.filter(wanted).order_by("pk").values_list("pk", flat=True))


def _tend(registration: CallbackRegistration, *, now: datetime) -> str:
    if registration.state == S.REMOVING:
        _remove(registration, now=now)
        return "removed"
    if registration.state == S.VERIFIED:
        verify_callback(registration, now=now)
        return "verified"
    if registration.state != S.REMOVED:
        _brought_in(registration, now=now)
    return "continued"


def _brought_in(registration: CallbackRegistration, *, now: datetime) -> CallbackRegistration:
    """The registration, verified, and every other one of its account removed."""
    if registration.state in {S.PREPARED, S.REGISTERING}:
        _register(registration, now=now)
    if registration.state == S.REGISTERED:
        verify_callback(registration, now=now)
        if registration.state == S.PREPARED:
            _register(registration, now=now)
            verify_callback(registration, now=now)
    for former in registration.account.registrations.filter(state=S.REMOVING):
        _remove(former, now=now)
    return registration


def _register(registration: CallbackRegistration, *, now: datetime) -> None:
    """Have the carrier register it, once: after a crash its list is asked first what it has."""
    client = client_of(registration.account)
    was_begun = registration.state == S.REGISTERING
    _begin(registration, now=now)
    try:
        known = [each for each in client.list_callbacks() if registration.secret in each.url] if was_begun else []
        code = known[0].code if known else ""
        for twin in known[1:]:
            client.remove_callback(twin.code)
        if not code:
            url = callback_url(registration, with_credentials=True)
            code = client.register_callback(url, pin=registration.account.pin)
    except Ambiguous as error:
        # It may stand there: the next step looks.
        _note(registration, P(error.code))
        raise
    except ProviderError as error:
        _move(registration, S.PREPARED, expected=[S.REGISTERING], now=now, problem=P(error.code))
        raise
    _move(registration, S.REGISTERED, expected=[S.REGISTERING], now=now, code=code[:64], problem="")


def _begin(registration: CallbackRegistration, *, now: datetime) -> None:
    """Commit the intent to register, or take over that of a process that died.

    Errors: `Conflict` when another process is at it.
    """
    if registration.state == S.PREPARED:
        taken = _move(registration, S.REGISTERING, expected=[S.PREPARED], now=now)
    else:
        since = registration.state_since
        mine = CallbackRegistration.objects.filter(pk=registration.pk, state=S.REGISTERING, state_since=since)
        taken = bool(mine.filter(state_since__lt=now - STEP_LEASE).update(state_since=now))
        registration.state_since = now if taken else since
    if not taken:
        raise Conflict("Another process is registering this address.")


@transaction.atomic
def _take_over(registration: CallbackRegistration, problem: RegistrationProblem | None, *, now: datetime) -> None:
    """Make it the one in use, and every other address of the account one to be removed: both or neither."""
    others = registration.account.registrations.exclude(pk=registration.pk).exclude(state__in=[S.REMOVED, S.REMOVING])
    _retire(list(others), now=now)
    _move(registration, S.VERIFIED, expected=[S.REGISTERED], now=now, verified_at=now, problem=problem or "")


def _retire(registrations: list[CallbackRegistration], *, now: datetime) -> None:
    for registration in registrations:
        # What the carrier was never told of needs no removing there.
        to = S.REMOVED if registration.state == S.PREPARED else S.REMOVING
        _move(registration, to, expected=[registration.state], now=now, problem="")


def _remove(registration: CallbackRegistration, *, now: datetime) -> None:
    """Have the carrier forget it; what it has forgotten already, or never knew, is as good."""
    client = client_of(registration.account)
    try:
        codes = [registration.code] if registration.code else _codes_of(registration, client.list_callbacks())
        for code in codes:
            client.remove_callback(code)
    except ProviderError as error:
        _note(registration, P(error.code))
        raise
    _move(registration, S.REMOVED, expected=[S.REMOVING], now=now, problem="")


def _codes_of(registration: CallbackRegistration, listed: list[RegisteredCallback]) -> list[str]:
    return [each.code for each in listed if registration.secret in each.url]


def _self_test(registration: CallbackRegistration) -> RegistrationProblem | None:
    """Why our own server would not take a delivery to this address; None = it does."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", SELF_TEST_HEADER: "1"}
    if registration.username:
        pair = f"{registration.username}:{registration.password}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    timeouts = Timeouts(connect_seconds=settings.DIRECTCALL_CONNECT_TIMEOUT_SECONDS, answer_seconds=5)
    try:
        answer = post(callback_url(registration), content=b"data=", headers=headers, timeouts=timeouts)
    except ProviderError:
        return P.UNREACHABLE
    if answer.status_code == 200:
        return None
    return P.UNREACHABLE if answer.status_code >= 500 else P.SELF_TEST_REFUSED


def _move(
    registration: CallbackRegistration, to: RegistrationState, *, expected: list[str], now: datetime, **changes: Any
) -> bool:
    def record(source: str, target: str) -> None:
        log.info("callback registration %s: %s -> %s", registration.pk, source, target)

    return transition(
        registration, to, moves=REGISTRATION_MOVES, expected=expected, record=record, state_since=now, **changes
    )


def _note(registration: CallbackRegistration, problem: RegistrationProblem | None, **changes: Any) -> None:
    changes["problem"] = problem or ""
    CallbackRegistration.objects.filter(pk=registration.pk, state=registration.state).update(**changes)
    for name, value in changes.items():
        setattr(registration, name, value)
