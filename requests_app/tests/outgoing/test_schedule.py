"""The schedule over three days, at frozen instants; when an endpoint is switched off, and who claims what."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.lib.errors import Conflict
from requests_app.models import WebhookDelivery, WebhookEndpoint
from requests_app.services.deliveries import (
    JITTER,
    MOST_TRIES,
    RETRY_DELAYS,
    Claim,
    Result,
    claim_due_deliveries,
    is_any_due,
    prune_deliveries,
    retry_delay,
    store_result,
)
from requests_app.services.outgoing import change_endpoint, enqueue_test, resend_delivery
from requests_app.tests.outgoing.scenes import claim, endpoint_at, fresh, waiting

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
DAY = timedelta(days=1)
FAILED, OK = Result("status", 500), Result(status=204)


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return endpoint_at("https://shop.example.com/hooks")


def finish(claims: list[Claim], result: Result, *, now: datetime) -> None:
    for each in claims:
        assert store_result(each, result, duration_ms=12, now=now)


def test_the_delays_are_the_standards_and_cover_three_days() -> None:
    seconds = [int(delay.total_seconds()) for delay in RETRY_DELAYS]
    assert seconds == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert sum(RETRY_DELAYS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


def test_chance_moves_each_delay_a_little_both_ways_and_never_below_what_the_receiver_asked() -> None:
    for tries, delay in enumerate(RETRY_DELAYS, start=1):
        assert retry_delay(tries, chance=0) == delay * (1 - JITTER)
        assert retry_delay(tries, chance=1) == delay * (1 + JITTER)
    assert retry_delay(1, chance=0.5, at_least_seconds=600) == timedelta(minutes=10)
    assert retry_delay(9, chance=0.5, at_least_seconds=600) == DAY


def test_a_delivery_that_always_fails_is_tried_ten_times_at_its_hours_and_given_up(endpoint: WebhookEndpoint) -> None:
    (delivery,) = waiting(endpoint, now=NOW)
    now, instants = NOW, []
    while claims := claim(now=now):
        instants.append(now)
        finish(claims, FAILED, now=now)
        delivery = fresh(delivery)
        if delivery.next_try_at is None:
            break
        assert claim(now=delivery.next_try_at - timedelta(milliseconds=1)) == []
        now = delivery.next_try_at
    assert len(instants) == MOST_TRIES == 10
    waits = [after - before for before, after in itertools.pairwise(instants)]
    for wait, delay in zip(waits, RETRY_DELAYS, strict=True):
        assert delay * (1 - JITTER) <= wait <= delay * (1 + JITTER)
    assert waits != list(RETRY_DELAYS)
    assert (delivery.state, delivery.tries, delivery.last_status, delivery.last_error) == ("failed", 10, 500, "status")
    assert claim(now=NOW + 30 * DAY) == []


def test_a_delivery_that_succeeds_is_done(endpoint: WebhookEndpoint) -> None:
    (delivery,) = waiting(endpoint, now=NOW)
    finish(claim(now=NOW), FAILED, now=NOW)
    later = fresh(delivery).next_try_at
    assert later is not None
    finish(claim(now=later), OK, now=later)
    delivery = fresh(delivery)
    assert (delivery.state, delivery.tries, delivery.last_status, delivery.last_error) == ("delivered", 2, 204, "")
    assert (delivery.delivered_at, delivery.last_try_at, delivery.last_duration_ms) == (later, later, 12)
    assert not is_any_due(NOW + 30 * DAY)


def test_what_the_receiver_asks_with_retry_after_is_waited(endpoint: WebhookEndpoint) -> None:
    (delivery,) = waiting(endpoint, now=NOW)
    finish(claim(now=NOW), Result("status", 429, 3600), now=NOW)
    assert fresh(delivery).next_try_at == NOW + timedelta(hours=1)


# --- The endpoint's health ---------------------------------------------------------------------------------------


def test_410_switches_the_endpoint_off_at_once_and_what_waits_stays(endpoint: WebhookEndpoint) -> None:
    waiting(endpoint, 5, now=NOW)
    (first, *_rest) = claims = claim(now=NOW)
    finish([first], Result("gone", 410), now=NOW)
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason, endpoint.disabled_at) == (False, "gone", NOW)
    assert WebhookDelivery.objects.get(pk=first.delivery_id).state == "failed"
    finish(claims[1:], FAILED, now=NOW)
    assert not is_any_due(NOW + DAY)
    assert claim(now=NOW + DAY) == []
    assert WebhookDelivery.objects.filter(state="pending").count() == 4


def test_five_days_without_a_success_switch_the_endpoint_off(endpoint: WebhookEndpoint) -> None:
    for day in range(6):
        now = NOW + day * DAY
        waiting(endpoint, now=now)
        finish(claim(now=now, limit_failing=1), FAILED, now=now)
        endpoint.refresh_from_db()
        assert endpoint.failing_since == NOW
        assert endpoint.is_enabled == (day < 5)
    assert endpoint.disabled_reason == "failing"


def test_one_success_starts_the_five_days_anew(endpoint: WebhookEndpoint) -> None:
    for day, result in enumerate((FAILED, FAILED, FAILED, FAILED, OK, FAILED, FAILED)):
        now = NOW + day * DAY
        WebhookDelivery.objects.all().delete()
        waiting(endpoint, now=now)
        finish(claim(now=now), result, now=now)
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.failing_since) == (True, NOW + 5 * DAY)


@pytest.mark.parametrize("error", ["secret", "internal"])
def test_our_own_failures_are_not_counted_against_the_endpoint(endpoint: WebhookEndpoint, error: str) -> None:
    waiting(endpoint, now=NOW)
    finish(claim(now=NOW), Result(error), now=NOW)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_switched_on_again_it_gets_what_waited_and_a_clean_slate(endpoint: WebhookEndpoint) -> None:
    waiting(endpoint, 3, now=NOW)
    finish(claim(now=NOW, limit=1), Result("gone", 410), now=NOW)
    endpoint.refresh_from_db()
    endpoint.is_enabled = True
    change_endpoint(endpoint, changed=["is_enabled"])
    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.disabled_at, endpoint.failing_since) == ("", None, None)
    assert len(claim(now=NOW)) == 2


# --- Claims ------------------------------------------------------------------------------------------------------


def test_a_claimed_delivery_is_nobody_elses_until_the_lease_ends(endpoint: WebhookEndpoint) -> None:
    waiting(endpoint, now=NOW)
    (first,) = claim(now=NOW)
    assert claim(now=NOW + timedelta(seconds=29)) == []
    (second,) = claim(now=NOW + timedelta(seconds=30))
    assert second.delivery_id == first.delivery_id
    # The first one comes back after all: too late to say anything.
    assert not store_result(first, FAILED, duration_ms=1, now=NOW)
    assert store_result(second, OK, duration_ms=1, now=NOW)
    assert not store_result(second, FAILED, duration_ms=1, now=NOW)
    assert WebhookDelivery.objects.get().state == "delivered"


def test_a_claim_that_never_was_stores_nothing(endpoint: WebhookEndpoint) -> None:
    (delivery,) = waiting(endpoint, now=NOW)
    assert not store_result(Claim(delivery.pk, uuid.uuid4()), OK, duration_ms=1, now=NOW)
    assert fresh(delivery).state == "pending"


def test_an_endpoint_holds_four_places_and_one_that_fails_holds_one() -> None:
    healthy, failing = endpoint_at("https://a.example.com/"), endpoint_at("https://b.example.com/")
    WebhookEndpoint.objects.filter(pk=failing.pk).update(failing_since=NOW)
    waiting(failing, 200, now=NOW - DAY)
    waiting(healthy, 10, now=NOW)
    claims = claim(now=NOW)
    assert sorted(each.is_failing for each in claims) == [False] * 4 + [True]
    assert claim(now=NOW) == []


def test_all_failing_endpoints_together_leave_room_for_the_others() -> None:
    for number in range(20):
        bad = endpoint_at(f"https://bad{number}.example.com/")
        WebhookEndpoint.objects.filter(pk=bad.pk).update(failing_since=NOW)
        waiting(bad, 2, now=NOW - DAY)
    good = endpoint_at("https://good.example.com/")
    waiting(good, 2, now=NOW)
    claims = claim(now=NOW, limit=16, limit_failing=8)
    assert sorted(each.is_failing for each in claims) == [False] * 2 + [True] * 8


def test_places_go_round_by_turns_and_first_to_who_has_least_under_way() -> None:
    endpoints = [endpoint_at(f"https://shop{number}.example.com/") for number in range(6)]
    for age, endpoint in enumerate(endpoints):
        waiting(endpoint, 10, now=NOW - timedelta(seconds=age))

    def owners(limit: int) -> list[int]:
        ids = [each.delivery_id for each in claim_due_deliveries(now=NOW, limit=limit, limit_failing=0)]
        found = dict(WebhookDelivery.objects.filter(pk__in=ids).values_list("pk", "endpoint_id"))
        return [endpoints.index(WebhookEndpoint.objects.get(pk=found[pk])) for pk in ids]

    # The longest waiting first.
    assert owners(4) == [5, 4, 3, 2]
    assert owners(4) == [1, 0, 5, 4]
    assert owners(16) == [3, 2, 1, 0] * 1 + [5, 4, 3, 2, 1, 0] + [5, 4, 3, 2, 1, 0]


def test_the_cost_of_a_claim_does_not_grow_with_the_queue(
    endpoint: WebhookEndpoint, django_assert_max_num_queries: object
) -> None:
    waiting(endpoint, 3, now=NOW)
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        claim(now=NOW)
    WebhookDelivery.objects.update(leased_until=None, lease_token=None)
    waiting(endpoint, 60, now=NOW)
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        claim(now=NOW)


# --- Send again, and the log's end -------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [OK, Result("blocked")])
def test_send_again_starts_over_with_the_same_id_and_bytes(endpoint: WebhookEndpoint, result: Result) -> None:
    (delivery,) = waiting(endpoint, now=NOW)
    finish(claim(now=NOW), result, now=NOW)
    later = NOW + DAY
    resend_delivery(delivery.pk, now=later)
    again = fresh(delivery)
    assert (again.state, again.tries, again.next_try_at, again.delivered_at) == ("pending", 0, later, None)
    assert (again.message_id, again.payload) == (delivery.message_id, delivery.payload)
    assert len(claim(now=later)) == 1


def test_what_is_being_sent_or_has_nowhere_to_go_is_not_sent_again(endpoint: WebhookEndpoint) -> None:
    (delivery,) = waiting(endpoint, now=NOW)
    claims = claim(now=NOW)
    with pytest.raises(Conflict):
        resend_delivery(delivery.pk, now=NOW)
    finish(claims, Result("gone", 410), now=NOW)
    with pytest.raises(Conflict):
        resend_delivery(delivery.pk, now=NOW)
    endpoint.refresh_from_db()
    with pytest.raises(Conflict):
        enqueue_test(endpoint, now=NOW)


def test_the_log_goes_back_thirty_days(endpoint: WebhookEndpoint) -> None:
    waiting(endpoint, 3, now=NOW - 31 * DAY)
    (young,) = waiting(endpoint, now=NOW - 29 * DAY)
    assert prune_deliveries(now=NOW) == 3
    assert list(WebhookDelivery.objects.all()) == [young]
    assert prune_deliveries(now=NOW) == 0
