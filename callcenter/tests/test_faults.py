"""Calls with every fate there is, while the worker is killed again and again: nobody rings twice."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
import requests
from django.db import connection
from django.utils import timezone

from callcenter.tests.crash_points import crash_points
from callcenter.tests.environment import program_environment
from callcenter.tests.factories import make_account, make_api_key, make_attendant, make_company, make_line, make_user
from callcenter.tests.nursery import Nursery
from callcenter.tests.stack import Stack, wait_until
from requests_app.models import CallRequest
from requests_app.states import OPEN as OPEN_STATUSES
from requests_app.states import Hold
from telephony.models import AttemptEntry, CallAttempt, ProviderEvent, RetryRule
from telephony.services.promises import broken
from telephony.simulators.fates import FATES
from telephony.states import OPEN, AttemptState, Promise
from telephony.tests.simulators.running import Simulators
from telephony.tests.simulators.told import acknowledged, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

REQUESTS = 500
KILLS = 4
SEED = 20261123
# A wrong password (401, 403) suspends the whole line until a person looks, which is right and has a test of its own.
SUSPENDING = {"11", "12"}
SETTINGS = {
    # Far longer than a message waits behind a killed worker's backlog: else each claim is over before it is placed.
    "DIALER_LEASE_SECONDS": "8",
    "DIALER_TICK_SECONDS": "1",
    "DIALER_SWEEP_SECONDS": "2",
    "DIALER_RING_TIMEOUT_SECONDS": "8",
    "DIALER_TALK_TIMEOUT_SECONDS": "8",
    "DIALER_BREAKER_SECONDS": "1",
    "DIGITRO_READ_TIMEOUT_SECONDS": "1",
}
WORKER = ("worker", "--pool", "threads", "--concurrency", "4", "--without-mingle", "--loglevel", "WARNING")


def test_calls_of_every_fate_under_kills_and_crashes_ring_each_phone_once_per_attempt() -> None:
    """The simulator's own record is the witness: it writes each call to the disk before it answers."""
    chance = random.Random(SEED)
    company = make_company("Loja Aurora")
    user = make_user(company)
    key = make_api_key(user)
    for _ in range(60):
        make_attendant(company)
    RetryRule.objects.all().delete()
    for outcome in ("busy", "no_answer", "machine"):
        RetryRule.objects.create(company=company, outcome=outcome, max_tries=2, wait_seconds=2)
    with Simulators(seed=SEED, hang_seconds=3, answer_delay_ms=50) as simulators:
        make_line(company, base_url=simulators.digitro_url, max_calls_at_once=60, calls_per_second=50.0)
        make_account(company, base_url=simulators.directcall_url)
        with Stack(**SETTINGS) as stack, Nursery(program_environment(**SETTINGS)) as nursery:
            simulators.register_callback(f"{stack.url}/webhooks/directcall/s3cr3t-of-the-path")
            _ask_for_calls(stack.url, auth=(user.email, key), chance=chance)
            began = time.monotonic()
            nursery.start("beat", "--pidfile=", "--loglevel", "WARNING")
            reached = [point for point in crash_points() if _crash(nursery, point)]
            _kill_at_random(nursery, chance=chance)
            nursery.start(*WORKER)
            wait_until(_is_settled, seconds=150, what="every request is settled or in doubt")
            simulators.wait_until_quiet(timeout_seconds=60)
            wait_until(_all_news_applied, seconds=60, what="every callback is applied")
            seconds = time.monotonic() - began
        assert reached == crash_points()
        _assert_promises(simulators)
    in_doubt = CallAttempt.objects.filter(state=AttemptState.IN_DOUBT).count()
    attempts = CallAttempt.objects.count()
    print(f"\n{connection.vendor}: {REQUESTS} requests, {attempts} attempts, {KILLS} kills, {len(reached)} crashes,"  # noqa: T201
          f" {in_doubt} in doubt, {seconds:.0f} s")  # fmt: skip


def _ask_for_calls(url: str, *, auth: tuple[str, str], chance: random.Random) -> None:
    digits = sorted(set(FATES) - SUSPENDING)
    endings = [digits[n % len(digits)] for n in range(REQUESTS)]
    # One after the other, those that fail would keep the line's breaker open.
    chance.shuffle(endings)
    session = requests.Session()
    session.auth = auth
    for n, ending in enumerate(endings):
        body = {"phone": f"(11) 9{8000 + n // 100:04d}-{n % 100:02d}{ending}", "name": f"n{n}"}
        answer = session.post(f"{url}/api/2.0/call_requests", json=body, timeout=(3, 20))
        assert answer.status_code == 201, answer.text


def _crash(nursery: Nursery, point: str) -> bool:
    """Whether a worker died at that point; none is left."""
    pid = nursery.start(*WORKER, crash_at=point)
    code = nursery.wait(pid, seconds=45)
    if code is None:
        nursery.kill(pid)
    return code == -signal.SIGKILL


def _kill_at_random(nursery: Nursery, *, chance: random.Random) -> None:
    """Kill a worker so often, each time a moment after it has begun its work: before that it would prove nothing."""
    for _ in range(KILLS):
        pid = nursery.start(*WORKER)
        wait_until(partial(_has_moved, since=AttemptEntry.objects.count()), seconds=60, what="the worker is at work")
        time.sleep(chance.uniform(0.1, 1.5))
        nursery.kill(pid)


def _has_moved(*, since: int) -> bool:
    return AttemptEntry.objects.count() > since or _is_settled()


def _is_settled() -> bool:
    moving = CallAttempt.objects.filter(state__in=OPEN).exclude(state=AttemptState.IN_DOUBT)
    waiting = CallRequest.objects.filter(due_at__isnull=False)
    return not moving.exists() and not waiting.exists()


def _all_news_applied() -> bool:
    return not ProviderEvent.objects.filter(state=ProviderEvent.State.RECEIVED).exists()


def _assert_promises(simulators: Simulators) -> None:
    rang = Counter(call["dados"] for call in simulators.recorded_calls())
    assert not {token: times for token, times in rang.items() if times > 1}, "a phone rang twice for one attempt"
    attempts = {attempt.token.hex: attempt for attempt in CallAttempt.objects.all()}
    assert set(rang) <= set(attempts), "a phone rang for no attempt"
    silent = {AttemptState.CLAIMED, AttemptState.RELEASED, AttemptState.REFUSED}
    assert not [token for token in rang if attempts[token].state in silent], "a call that rang is taken for not made"

    now = timezone.now()
    for promise in Promise:
        assert broken(promise, since=now - timedelta(days=1), now=now) == []
    assert CallRequest.objects.count() == REQUESTS, "a request was lost"
    assert not CallAttempt.objects.filter(state__in=OPEN).exclude(state=AttemptState.IN_DOUBT).exists()
    for request in CallRequest.objects.filter(status__in=OPEN_STATUSES):
        # Only what a person must decide stays open.
        assert request.hold_reason in {Hold.IN_DOUBT, Hold.REFUSED}, (request.pk, request.hold_reason)
        assert request.in_flight == (request.hold_reason == Hold.IN_DOUBT)
    doubtful = set(CallAttempt.objects.filter(state=AttemptState.IN_DOUBT).values_list("call_request_id", flat=True))
    assert doubtful == set(CallRequest.objects.filter(in_flight=True).values_list("pk", flat=True))

    # Some may be stored of which the carrier did not hear in time.
    callbacks = ProviderEvent.objects.filter(source=ProviderEvent.Source.CALLBACK).values_list("raw", flat=True)
    assert not acknowledged(simulators) - told(callbacks), "an acknowledged callback was lost"
    moved = AttemptEntry.objects.values_list("attempt_id", flat=True).distinct().count()
    assert moved == len(attempts), "an attempt has no ledger"
