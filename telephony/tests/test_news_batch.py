"""News applied in batches ends as the same news applied one by one: calls, requests, ledgers, outgoing webhooks."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from callcenter.lib.phones import InvalidPhone, brazilian_e164
from requests_app.models import CallRequest, LedgerEntry, WebhookDelivery, WebhookEndpoint
from requests_app.models.outgoing import WebhookEvent
from telephony.models import CallAttempt, DialerLine, ProviderEvent
from telephony.providers.directcall.values import phone_e164
from telephony.services import news
from telephony.services.events import apply_event, store_event
from telephony.services.news import apply_received, drain
from telephony.services.receiving import store_callback
from telephony.services.replay import replay
from telephony.services.sweeping import LEFT_BEHIND, sweep
from telephony.services.switches import turn_dialer
from telephony.states import AttemptState
from telephony.tests.scenes import FORM, form_of, fresh, in_threads, make_callcenter, placed_call, tell

if TYPE_CHECKING:
    from datetime import datetime

S = AttemptState
State = ProviderEvent.State
WORDS = ("chamando", "atendeu", "desligou", "ocupado", "nao atendeu", "caixa postal", "transferida", "numero invalido")
NOW = timezone.now()
CALLS = 16


class World:
    """A company with calls at all stages; two of them made alike differ in ids and numbers only."""

    def __init__(self, name: str, *, is_told: bool) -> None:
        self.line: DialerLine = make_callcenter(secret=name)
        self.account = self.line.company.directcallaccount_set.get()
        if is_told:
            WebhookEndpoint.objects.create(
                company=self.line.company, url="https://loja.example.com/", events=list(WebhookEvent.values), secret="s"
            )
        self.calls = [placed_call(self.line, now=NOW) for _ in range(CALLS)]
        self._set(slice(0, 2), state=S.IN_DOUBT)
        self._set(slice(2, 4), state=S.SENDING)
        self._set(slice(4, 5), call_request=None)
        CallRequest.objects.filter(call_attempts=self.calls[5]).update(status="completed")
        CallRequest.objects.filter(call_attempts=self.calls[6]).update(hold_reason="with_person")
        CallRequest.objects.filter(call_attempts=self.calls[7]).update(time_from="03:00", time_to="03:10")

    def _set(self, which: slice, **values: Any) -> None:
        CallAttempt.objects.filter(pk__in=[one.pk for one in self.calls[which]]).update(**values)

    def store(self, told: list[tuple[int, str, str]]) -> list[int]:
        """Ids of these pieces of news (place of the call, word, which id), stored."""
        return [self._stored(*one) for one in told]

    def _stored(self, place: int, word: str, how: str) -> int:
        attempt = CallAttempt.objects.get(pk=self.calls[place].pk)
        phone = "5511900000000" if how == "early" else attempt.phone_e164.removeprefix("+")
        ids = {"none": {}, "other": {"callerid": f"other-{place}"}, "early": {"callerid": f"early-{place}"}}.get(
            how, {"callerid": f"call-{place}"}
        )
        whose = {} if how == "id alone" else {"destino": phone}
        body = form_of(status=word, **ids, **whose) if how != "malformed" else "data={broken"
        # Long enough ago for the sweep to look after it.
        return store_event(self.account, body=body.encode(), content_type=FORM, now=NOW - LEFT_BEHIND * 2).pk

    def standing(self) -> list[Any]:
        """Everything that must not depend on how the news was applied; the calls by their place."""
        return [self._of(one.pk) for one in self.calls] + [
            list(
                self.account.events.order_by("pk").values_list("state", "problem", "word", "meaning", "carrier_call_id")
            )
        ]

    def _of(self, attempt_id: int) -> list[Any]:
        columns = ("state", "outcome", "has_conflict", "carrier_call_id", "answered_at", "ended_at", "lease_until")
        (attempt,) = CallAttempt.objects.filter(pk=attempt_id).values_list(*columns)
        request_id = CallAttempt.objects.values_list("call_request_id", flat=True).get(pk=attempt_id)
        where = ("status", "in_flight", "due_at", "hold_reason", "attempts", "last_outcome", "completed_at")
        request = list(CallRequest.objects.filter(pk=request_id).values_list(*where))
        entries = LedgerEntry.objects.filter(call_request_id=request_id).order_by("pk") if request_id else ()
        return [
            attempt,
            list(CallAttempt.objects.get(pk=attempt_id).entries.values_list("from_state", "to_state", "reason")),
            request,
            [(one.kind, one.source, one.from_status, one.to_status, one.reason) for one in entries],
            list(
                WebhookDelivery.objects.filter(ledger_entry__in=entries).order_by("pk").values_list("event", flat=True)
            ),
        ]


def by_chance(seed: int) -> list[tuple[int, str, str]]:
    """Shuffled news of all calls: doubled, early, malformed, without an id, of another call to the number."""
    chance = random.Random(seed)
    told = []
    for place in range(CALLS):
        for word in chance.choices(WORDS, k=chance.randint(1, 4)):
            hows = ["usual", "none", "other", "id alone", "early", "malformed"]
            (how,) = chance.choices(hows, weights=[14, 2, 1, 1, 1, 1])
            told += [(place, word, how)] * chance.choice([1, 1, 1, 2])
    chance.shuffle(told)
    return told


@pytest.mark.django_db
@pytest.mark.parametrize(("seed", "is_told"), [(1, False), (3, True)])
def test_news_applied_together_ends_as_news_applied_one_by_one(
    seed: int, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    together, one_by_one = World("together", is_told=is_told), World("one-by-one", is_told=is_told)
    told, chance = by_chance(seed), random.Random(seed)
    while told:
        size = chance.randint(1, 40)
        part, told = told[:size], told[size:]
        ids = one_by_one.store(part)
        for event_id in ids:
            apply_event(event_id, now=NOW)
        together.store(part)
        apply_received_at(NOW)
        # News that names its call by an id alone may come before the news that makes the id known. The batch finds its
        # call at its end, and the sweep that of the other world.
        sweep(now=NOW)
    assert not ProviderEvent.objects.filter(state__in=[State.RECEIVED, State.FAILED]).exists()
    for ours, theirs in zip(together.standing(), one_by_one.standing(), strict=True):
        assert ours == theirs
    assert "one by one" not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [5, 6])
def test_all_of_it_in_another_order_and_in_other_batches_ends_alike(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    world, told = World("replayed", is_told=False), by_chance(seed)
    while told:
        part, told = told[:25], told[25:]
        world.store(part)
        apply_received_at(NOW)
        sweep(now=NOW)
    before = world.standing()
    turn_dialer(on=False, now=NOW, actor=None)
    number, differences = replay(since=NOW - timedelta(days=1), seed=seed, now=NOW)
    assert (number > 4, differences) == (True, [])
    assert world.standing() == before
    assert "one by one" not in caplog.text


def apply_received_at(now: datetime) -> None:
    """Apply what is stored as if the clock stood still."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("telephony.services.news.time.monotonic", lambda: 0.0)
        apply_received(now=now)


@pytest.mark.django_db
def test_a_batch_of_usual_news_takes_the_same_few_statements_however_large() -> None:
    world = World("few", is_told=False)
    counts = []
    for places in (range(8, 10), range(10, CALLS)):
        world.store([(place, word, "usual") for place in places for word in ("chamando", "atendeu", "desligou")])
        with CaptureQueriesContext(connection) as queries:
            assert apply_received(now=NOW) == 3 * len(places)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25
    assert {fresh(one)[1].status for one in world.calls[8:]} == {"completed"}


@pytest.mark.django_db(transaction=True)
def test_eight_who_apply_at_once_apply_each_piece_of_news_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "BATCH", 7)
    world = World("eight", is_told=False)
    words = ("chamando", "atendeu", "desligou")
    told = [(place, word, "usual") for word, place in itertools.product(words, range(8, CALLS))]
    random.Random(5).shuffle(told)
    world.store(told)
    in_threads(8, lambda _place: apply_received(now=timezone.now(), threads=2))
    apply_received(now=timezone.now())
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {State.APPLIED}
    for one in world.calls[8:]:
        attempt, request = fresh(one)
        assert (attempt.state, attempt.outcome, request.status, request.attempts) == (
            S.ENDED,
            "answered",
            "completed",
            1,
        )
        assert attempt.entries.filter(to_state=S.ENDED).exclude(from_state=S.ENDED).count() == 1


@pytest.mark.django_db
def test_the_bell_that_rings_while_news_is_applied_does_nothing() -> None:
    attempt = placed_call(make_callcenter())
    tell("ocupado", callerid="a-1", destino=attempt.phone_e164)
    with news._is_draining:
        assert drain(now=timezone.now()) == 0
    assert fresh(attempt)[0].state == S.PLACED
    assert drain(now=timezone.now()) == 1
    assert fresh(attempt)[0].outcome == "busy"


@pytest.mark.django_db
def test_a_delivery_is_stored_by_one_statement_and_only_at_its_own_address(django_assert_num_queries: Any) -> None:
    line = make_callcenter(secret="mine")
    with django_assert_num_queries(1):
        assert store_callback("mine", body=b"\x00\xff", content_type="a" * 300, now=NOW)
    assert not store_callback("another", body=b"x", content_type="", now=NOW)
    event = ProviderEvent.objects.get()
    assert (bytes(event.raw), event.content_type, event.received_at) == (b"\x00\xff", "a" * 200, NOW)
    assert (event.company_id, event.state, event.source, event.tries) == (line.company_id, "received", "callback", 0)


def test_the_short_way_to_a_mobile_number_reads_as_the_library_does() -> None:
    for area, rest in itertools.product(range(10, 100), ("987654321", "959999999", "60000000", "99999999", "90000000")):
        text = f"55{area}{rest}"
        try:
            expected = brazilian_e164(f"+{text}")
        except InvalidPhone:
            expected = ""
        assert phone_e164(text) == expected
