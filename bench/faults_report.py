"""What came of `bench.faults`: the simulators' records beside the database's rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from telephony.tests.simulators.told import Told, acknowledged, told, told_by

if TYPE_CHECKING:
    from telephony.tests.simulators.running import Simulators

_SILENT: Final = {"claimed", "released", "refused"}


@dataclass
class Witnesses:
    """What the simulators saw, and what the database says of it."""

    calls: int
    rang: Counter[str]
    rang_numbers: Counter[str]
    acknowledged: Counter[Told]
    stored: Counter[Told]
    left_behind: Counter[str]
    given_back: Counter[str]
    states: Counter[str]
    doubts: dict[str, int]
    wrong: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, simulators: Simulators, *, calls: int) -> Self:
        """Everything that counts, once nothing moves any more."""
        from telephony.models import AttemptEntry, CallAttempt, ProviderEvent  # noqa: PLC0415  Django is set up by now

        recorded = simulators.recorded_calls()
        callbacks = ProviderEvent.objects.filter(source=ProviderEvent.Source.CALLBACK, account__isnull=False)
        attempts = {one.token.hex: one for one in CallAttempt.objects.defer("permission")}
        rang = Counter(call["dados"] for call in recorded)
        in_doubt = [token for token, one in attempts.items() if one.state == "in_doubt"]
        found = cls(
            calls=calls,
            rang=rang,
            rang_numbers=Counter(call["number"] for call in recorded),
            acknowledged=acknowledged(simulators),
            stored=told(callbacks.values_list("raw", flat=True)),
            left_behind=Counter(
                AttemptEntry.objects.filter(reason__startswith="lease_over").values_list("reason", flat=True)
            ),
            given_back=Counter(AttemptEntry.objects.filter(to_state="released").values_list("reason", flat=True)),
            states=Counter(one.state for one in attempts.values()),
            doubts={
                "rang": sum(rang[token] > 0 for token in in_doubt),
                "never rang": sum(not rang[token] for token in in_doubt),
            },
        )
        silent = [token for token in rang if token not in attempts or attempts[token].state in _SILENT]
        found.wrong = {
            "NUMBERS RUNG TWICE FOR ONE ATTEMPT": sum(times > 1 for times in rang.values()),
            "numbers rung twice at all (no rule tries again)": sum(times > 1 for times in found.rang_numbers.values()),
            "rang, and taken for not made": len(silent),
            "REQUESTS LOST (gone, or over and never rang)": _lost(calls, rang, attempts),
            "STUCK (no end, no next time, no reason)": _stuck(),
            "acknowledged callbacks that are not stored": sum((found.acknowledged - found.stored).values()),
            "acknowledged callbacks not accounted for": _unaccounted(callbacks),
            "callbacks given to another number's call": _astray(callbacks, simulators),
            **{f"nightly check: {name}": number for name, number in _broken_promises().items()},
        }
        return found


def doubles(found: Witnesses) -> int:
    """How many numbers rang twice, for one attempt or for two, by the PABX's record: no rule has any tried again."""
    return sum(times > 1 for times in found.rang_numbers.values())


def is_broken(found: Witnesses) -> bool:
    """Whether anything is not as promised."""
    return any(found.wrong.values())


def table(found: Witnesses) -> list[tuple[str, Any]]:
    """The figures, for people."""
    acknowledged = sum(found.acknowledged.values())
    doubts = sum(found.doubts.values())
    share = doubts / max(1, found.calls)
    return [
        ("claims, and sends, that killed workers left behind",
         f"{found.left_behind['lease_over']}, {found.left_behind['lease_over_sending']}"),
        ("phones that rang, of so many calls", f"{len(found.rang_numbers)} of {found.calls}"),
        ("attempts", _listed(found.states)),
        ("attempts given back unsent, by reason", _listed(found.given_back)),
        ("callbacks acknowledged, stored", f"{acknowledged}, {sum(found.stored.values())}"),
        *found.wrong.items(),
        ("left in doubt", f"{doubts} ({share:.2%} of the calls): {found.doubts['rang']} rang,"
         f" {found.doubts['never rang']} did not"),
    ]  # fmt: skip


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def _lost(calls: int, rang: Counter[str], attempts: dict[str, Any]) -> int:
    """Requests that are gone, and those that are over although no phone rang and nobody doubts it."""
    from requests_app.models import CallRequest  # noqa: PLC0415

    called = {one.call_request_id for token, one in attempts.items() if rang[token] or one.state == "in_doubt"}
    known = set(CallRequest.objects.values_list("pk", flat=True))
    return calls - len(known) + len(known - called)


def _stuck() -> int:
    """Requests that wait for nothing that will come, and events that nobody applies."""
    from django.db.models import Exists, OuterRef  # noqa: PLC0415

    from requests_app.models import CallRequest  # noqa: PLC0415
    from requests_app.states import OPEN  # noqa: PLC0415
    from telephony.models import CallAttempt, ProviderEvent  # noqa: PLC0415

    in_doubt = CallAttempt.objects.filter(call_request=OuterRef("pk"), state="in_doubt")
    requests = CallRequest.objects.filter(status__in=OPEN).exclude(Exists(in_doubt))
    return requests.count() + ProviderEvent.objects.filter(state=ProviderEvent.State.RECEIVED).count()


def _unaccounted(callbacks: Any) -> int:
    """Callbacks that are neither a call's news nor set aside because they were broken."""
    from telephony.models import ProviderEvent  # noqa: PLC0415

    state = ProviderEvent.State
    unreadable = callbacks.filter(state=state.UNREADABLE)
    readable = sum(bool(told_by(raw)[1]) for raw in unreadable.values_list("raw", flat=True))
    others = callbacks.exclude(state=state.UNREADABLE).exclude(state=state.APPLIED, attempt__isnull=False)
    return readable + int(others.count())


def _astray(callbacks: Any, simulators: Simulators) -> int:
    """Callbacks whose call, by the carrier, went to another number than the attempt that has them."""
    numbers = {one["callerid"]: one["destino"] for one in simulators.carrier_calls()}
    applied = callbacks.filter(attempt__isnull=False).values_list("carrier_call_id", "attempt__phone_e164")
    return sum(numbers.get(call_id, phone[1:]) != phone[1:] for call_id, phone in applied)


def _broken_promises() -> dict[str, int]:
    from telephony.services.promises import broken  # noqa: PLC0415
    from telephony.states import Promise  # noqa: PLC0415

    since = datetime.fromtimestamp(0, UTC)
    return {one.value: len(broken(one, since=since, now=datetime.now(UTC))) for one in Promise}
