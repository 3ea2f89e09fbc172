"""Calls with every fate there is, while the worker is killed again and again: nobody rings twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
import requests
from django.db import connection
from django.utils import timezone

from callcenter.tests.factories import make_account, make_api_key, make_attendant, make_company, make_line, make_user
from callcenter.tests.stack import Stack, wait_until
from requests_app.models import CallRequest
from requests_app.states import OPEN as OPEN_STATUSES
from requests_app.states import Hold
from telephony.models import AttemptEntry, CallAttempt, ProviderEvent, RetryRule
from telephony.services.promises import broken
from telephony.simulators.fates import FATES
from telephony.states import OPEN, AttemptState, Promise
from telephony.tests.simulators.running import Simulators

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

REQUESTS = 300
KILLS = 4
CRASH_POINTS = (
    "after_claim_commit", "before_placing", "before_intent_commit", "after_intent_commit", "before_first_byte",
    "before_answer_stored", "before_answers_commit", "after_answers_commit",
)  # fmt: skip
SEED = 20261123
# A wrong password (401, 403) suspends the whole line until a person looks, which is right and has a test of its own.
SUSPENDING = {"11", "12"}


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
    digits = sorted(set(FATES) - SUSPENDING)
    with Simulators(seed=SEED, hang_seconds=3, answer_delay_ms=50) as simulators:
        make_line(company, base_url=simulators.digitro_url, max_calls_at_once=60, calls_per_second=20.0)
        make_account(company, base_url=simulators.directcall_url)
        settings = {
            # Far longer than a message waits behind a killed worker's backlog: else each claim is over before it is
            # placed, and is made again for ever.
            "DIALER_LEASE_SECONDS": "8",
            "DIALER_TICK_SECONDS": "1",
            "DIALER_SWEEP_SECONDS": "2",
            "DIALER_RING_TIMEOUT_SECONDS": "8",
            "DIALER_TALK_TIMEOUT_SECONDS": "8",
            "DIGITRO_READ_TIMEOUT_SECONDS": "1",
            # A third of the fates are failures, so it would be open most of the time; it has tests of its own.
            "DIALER_BREAKER_FAILURES": "1000",
        }
        with Stack(**settings) as stack:
            simulators.register_callback(f"{stack.url}/webhooks/directcall/s3cr3t-of-the-path")
            session = requests.Session()
            session.auth = (user.email, key)
            for n in range(REQUESTS):
                body = {"phone": f"(11) 9{8000 + n // 100:04d}-{n % 100:02d}{digits[n % len(digits)]}", "name": f"n{n}"}
                answer = session.post(f"{stack.url}/api/2.0/call_requests", json=body, timeout=(3, 20))
                assert answer.status_code == 201, answer.text
            began = time.monotonic()
            stack.start_worker(threads=4)
            crashed = [point for point in CRASH_POINTS if stack.crash_worker(point, within_seconds=45)]
            stack.start_worker(threads=4)
            _kill_at_random(stack, chance=chance)
            wait_until(_is_settled, seconds=300, what="every request is settled or in doubt")
            simulators.wait_until_quiet(timeout_seconds=60)
            wait_until(_all_news_applied, seconds=60, what="every callback is applied")
            seconds = time.monotonic() - began
        assert crashed, "no crash point was reached"
        _assert_promises(simulators)
    in_doubt = CallAttempt.objects.filter(state=AttemptState.IN_DOUBT).count()
    attempts = CallAttempt.objects.count()
    print(f"\n{connection.vendor}: {REQUESTS} requests, {attempts} attempts, {KILLS} kills, {len(crashed)} crashes,"  # noqa: T201
          f" {in_doubt} in doubt, {seconds:.0f} s")  # fmt: skip


def _kill_at_random(stack: Stack, *, chance: random.Random) -> None:
    """Kill the worker so often, each time a moment after it has begun its work: before that it would prove nothing."""
    for _ in range(KILLS):
        moves = AttemptEntry.objects.count()
        wait_until(partial(_has_moved, since=moves), seconds=60, what="the worker is at work")
        time.sleep(chance.uniform(0.1, 1.5))
        stack.kill_worker()
        stack.start_worker(threads=4)


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

    acknowledged = sum(1 for delivery in simulators.deliveries() if delivery["http_status"] == 200)
    assert ProviderEvent.objects.count() == acknowledged, "an acknowledged callback was lost"
    moved = AttemptEntry.objects.values_list("attempt_id", flat=True).distinct().count()
    assert moved == len(attempts), "an attempt has no ledger"
