"""The carrier behind Directcall's API: its calls, the URLs that want their events, and what came of each sending."""

import random
import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from telephony.simulators.callbacks import Registration, Scheduler, address_without_credentials, post_event
from telephony.simulators.carrier_calls import CarrierCall, Event
from telephony.simulators.fates import Delivery, Fate, fate_of
from telephony.simulators.serving import SAO_PAULO


class Carrier:
    """Puts calls through and sends each one's events, in order, to every registered URL that it concerns."""

    def __init__(self, *, callbacks: Sequence[tuple[str, str]], event_delay_ms: float, seed: int) -> None:
        self._callbacks = callbacks
        self._event_delay_seconds = event_delay_ms / 1000
        self._seed = seed
        self._lock = threading.Lock()
        self._scheduler: Scheduler[CarrierCall] = Scheduler(self._send_next)
        self._begin()

    def _begin(self) -> None:
        self._registrations = [_registration(url, pin) for pin, url in self._callbacks]
        self._calls: list[CarrierCall] = []
        self._deliveries: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()

    def reset(self) -> None:
        """Go back to the state of the start: registrations made since are gone, too."""
        with self._lock:
            for call in self._calls:
                call.abandon()
            self._scheduler.clear()
            self._begin()

    def close(self) -> None:
        """Stop sending."""
        self._scheduler.close()

    def register(self, url: str, *, pin: str = "") -> Registration:
        """A new registration; the same URL twice gets every event twice."""
        registration = _registration(url, pin)
        with self._lock:
            self._registrations.append(registration)
        return registration

    def registrations(self) -> list[Registration]:
        """The URLs that get events, oldest first."""
        with self._lock:
            return list(self._registrations)

    def remove(self, code: str) -> bool:
        """Forget a registration; False when there is none with this code."""
        with self._lock:
            kept = [each for each in self._registrations if each.code != code]
            was_there = len(kept) < len(self._registrations)
            self._registrations = kept
        return was_there

    def drawn_fate(self, destino: str) -> Fate:
        """What becomes of the next try at a number that nobody scripted otherwise."""
        with self._lock:
            tries = self._tries[destino]
            self._tries[destino] += 1
        return fate_of(destino, seed=self._seed, times_dialed=tries)

    def begin_call(self, *, origem: str, destino: str, fate: Fate) -> CarrierCall:
        """A call put through; its events follow, and the early fate's first one is out when this returns."""
        with self._lock:
            talk_seconds = random.Random(f"{self._seed}/{destino}/{len(self._calls)}").randint(5, 180)
            call = CarrierCall(origem=origem, destino=destino, fate=fate, talk_seconds=talk_seconds)
            self._calls.append(call)
            self._counts["calls"] += 1
        pause_seconds: float | None = self._event_delay_seconds
        if fate.delivery is Delivery.EARLY:
            pause_seconds = self._send_next(call)
        if pause_seconds is not None and call.is_active():
            self._scheduler.add(call, in_seconds=pause_seconds)
        return call

    def active_call(self, origem: str | None, destino: str | None) -> CarrierCall | None:
        """The latest call between the two that is not over."""
        pairs = [call for call in self.calls() if (call.origem, call.destino) == (origem, destino)]
        return next((call for call in reversed(pairs) if call.is_active()), None)

    def calls(self) -> list[CarrierCall]:
        """Every call since the start or the last reset, oldest first."""
        with self._lock:
            return list(self._calls)

    def deliveries(self) -> list[dict[str, Any]]:
        """What came of every POST of an event, oldest first."""
        with self._lock:
            return list(self._deliveries)

    def stats(self) -> dict[str, int]:
        """Counts by name; ``calls waiting`` is how many calls have events still to be sent."""
        with self._lock:
            counts = dict(self._counts)
        return counts | {"calls waiting": self._scheduler.waiting()}

    def _send_next(self, call: CarrierCall) -> float | None:
        """Send the call's next event to every URL; the seconds until its next turn, None when nothing is left."""
        event = call.next_event()
        if event is None:
            return None
        for registration in self.registrations():
            if registration.pin not in ("", call.origem):
                continue
            status, problem = post_event(registration.url, call.body(event, pin=registration.pin))
            self._keep_delivery(call, event, registration=registration, status=status, problem=problem)
        return self._event_delay_seconds if call.is_active() else None

    def _keep_delivery(
        self, call: CarrierCall, event: Event, *, registration: Registration, status: int | None, problem: str
    ) -> None:
        delivery = {
            "at": datetime.now(SAO_PAULO).isoformat(),
            "url": address_without_credentials(registration.url),
            "callerid": call.callerid,
            "destino": call.destino,
            "status": event.status,
            "malformed": event.is_malformed,
            "http_status": status,
            "error": problem,
        }
        with self._lock:
            if not call.is_abandoned:
                self._deliveries.append(delivery)
                self._counts["events taken" if 200 <= (status or 0) < 300 else "events not taken"] += 1


def _registration(url: str, pin: str) -> Registration:
    return Registration(code=secrets.token_hex(20), url=url, pin=pin)
