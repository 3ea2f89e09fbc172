"""Everything at once: claims, calls, news, sweeps and people in several threads, and what must hold after any of it."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict
from callcenter.lib.phones import InvalidPhone
from requests_app.data import Origin
from requests_app.models import CallRequest
from requests_app.services.intake import change_call_request, dial_now
from requests_app.states import OPEN as OPEN_STATUSES
from requests_app.states import Hold, Source
from telephony.models import CallAttempt, ProviderEvent
from telephony.services.dialing import claim_due_calls, settle_doubt
from telephony.services.placing import place_calls
from telephony.services.sweeping import sweep
from telephony.states import AWAITING_NEWS, OPEN, AttemptState
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import deliver, in_threads, make_callcenter, make_due

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS, ROUNDS, REQUESTS = 5, 40, 30
WORDS = ("chamando", "atendeu", "desligou", "ocupado", "nao atendeu", "caixa postal")
S = AttemptState


class Storm:
    """What one thread does, by chance."""

    def __init__(self, seed: int, line_id: int, actor: User) -> None:
        self._chance = random.Random(seed)
        self._line_id = line_id
        self._actor = actor

    def blow(self) -> None:
        """So many things one after the other."""
        for _ in range(ROUNDS):
            self.act()

    def act(self) -> None:
        """One thing that may happen at any time."""
        actions: list[tuple[int, Callable[[], object]]] = [
            (4, self._dial),
            (8, self._tell),
            (3, self._sweep),
            (2, self._settle),
            (5, self._edit),
            (2, self._dial_now),
        ]
        (action,) = self._chance.choices([one for _w, one in actions], weights=[weight for weight, _one in actions])
        action()

    def _dial(self) -> None:
        CallRequest.objects.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
        ids = claim_due_calls(self._line_id, now=timezone.now())
        # Some claims are left lying, as by a worker that was killed.
        place_calls([one for one in ids if self._chance.random() < 0.8] * self._chance.choice([1, 2]))

    def _tell(self) -> None:
        attempts = list(CallAttempt.objects.order_by("-id")[:40])
        if not attempts:
            return
        attempt = self._chance.choice(attempts)
        # Sometimes without the carrier's id, sometimes with that of another call to the number.
        ids = [{"callerid": f"call-{attempt.pk}"}, {"callerid": f"other-{attempt.pk}"}, {}]
        (callerid,) = self._chance.choices(ids, weights=[8, 1, 1])
        if attempt.sending_at is not None:
            deliver(self._chance.choice(WORDS), destino=attempt.phone_e164, **callerid)

    def _sweep(self) -> None:
        sweep(now=timezone.now() + timedelta(seconds=self._chance.choice([3, 70, 400, 8000])))

    def _settle(self) -> None:
        for attempt in CallAttempt.objects.filter(state=S.IN_DOUBT)[:3]:
            try:
                settle_doubt(
                    attempt.pk, called=self._chance.random() < 0.5, actor=self._actor, scope=None, now=timezone.now()
                )
            except Conflict:
                continue

    def _edit(self) -> None:
        fields: dict[str, Any] = self._chance.choice(
            [{"status": "completed"}, {"status": "new"}, {"phone": "+7(999)111-22-33"}, {"phone": self._number()}]
        )
        request_id = self._chance.choice(list(CallRequest.objects.values_list("pk", flat=True)))
        change_call_request(request_id, scope=None, origin=self._origin(), now=timezone.now(), fields=fields)

    def _dial_now(self) -> None:
        for request in CallRequest.objects.filter(in_flight=False).exclude(phone_e164="").order_by("?")[:3]:
            try:
                dial_now(request.pk, scope=None, origin=self._origin(), now=timezone.now())
            except (Conflict, InvalidPhone):
                continue

    def _origin(self) -> Origin:
        return Origin(source=Source.ADMIN, actor=self._actor)

    def _number(self) -> str:
        return f"(21) 9{self._chance.randint(80000000, 80000009)}"


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_at_once_nobody_is_called_twice_and_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    with TinyPabx() as pabx:
        pabx.choose_status_code = lambda: chance.choice([200, 200, 200, 200, 400, 500, None])
        line = make_callcenter(base_url=pabx.url)
        actor = User.objects.create(email="chefe@example.com")
        make_due(line.company, REQUESTS)
        storms = [Storm(seed, line.pk, actor) for seed in range(THREADS)]
        in_threads(THREADS, lambda place: storms[place].blow())
    assert_every_call_was_sent_once(pabx)
    assert_every_request_has_a_way_on()
    assert_every_attempt_moved_step_by_step()
    assert_every_attempt_has_the_news_of_one_call()
    assert not ProviderEvent.objects.filter(state__in=["received", "failed"]).exists()
    assert [one.getMessage() for one in caplog.records if "deadlock" in (one.exc_text or one.getMessage())] == []
    assert len(pabx.posts) > REQUESTS


def assert_every_call_was_sent_once(pabx: TinyPabx) -> None:
    """No attempt left us twice, and none that left is taken for one that did not unless a person said so."""
    sent = Counter(fields["DADOS"] for fields in pabx.posts)
    assert set(sent.values()) == {1}
    for attempt in CallAttempt.objects.all():
        if attempt.state in (*AWAITING_NEWS, S.ENDED):
            assert sent[attempt.token.hex] == 1
        elif attempt.state == S.RELEASED and sent[attempt.token.hex]:
            assert attempt.entries.filter(reason="said_not_called").exists()


def assert_every_request_has_a_way_on() -> None:
    """In flight just when a call is open; else due, closed, or waiting for a person with a reason."""
    flying = set(CallAttempt.objects.filter(state__in=OPEN).values_list("call_request_id", flat=True))
    asks_for_a_person = {Hold.REFUSED, Hold.NOT_BRAZILIAN, Hold.WITH_PERSON, Hold.AWAITING_DISPOSITION}
    assert CallRequest.objects.count() == REQUESTS
    for request in CallRequest.objects.all():
        assert request.in_flight is (request.pk in flying), request.hold_reason
        if request.in_flight or request.due_at is not None:
            assert request.due_at is None or request.status in OPEN_STATUSES
        elif request.status in OPEN_STATUSES:
            assert request.hold_reason in asks_for_a_person
        else:
            assert request.hold_reason in {Hold.FINISHED, Hold.OUT_OF_TRIES}


def assert_every_attempt_moved_step_by_step() -> None:
    """Each entry begins where the one before ended, and the last one is where the attempt is."""
    for attempt in CallAttempt.objects.prefetch_related("entries"):
        before = "claimed"
        for entry in attempt.entries.all():
            assert entry.from_state == before
            before = entry.to_state
        assert before == attempt.state


def assert_every_attempt_has_the_news_of_one_call() -> None:
    """News with another id than the attempt's waits, unmatched."""
    for attempt in CallAttempt.objects.prefetch_related("events"):
        assert {event.carrier_call_id for event in attempt.events.all()} <= {"", attempt.carrier_call_id}
