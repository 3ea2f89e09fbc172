"""How often one may call and fail to log in, and the refusal of what is more."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _

from callcenter.lib.counters import Slot, shared_counters
from callcenter.lib.errors import DomainError
from callcenter.lib.secrets import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

logger = logging.getLogger(__name__)

_MINUTE: Final = 60


class RateLimited(DomainError):
    """Too often; the caller should come back after `retry_after_seconds`."""

    code = "rate_limited"

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(_("Tente de novo em %(seconds)s segundos.") % {"seconds": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Tally:
    """What somebody may do `most` times (0 = without a limit) in `seconds`, counted from fixed points of the clock.

    So up to twice as much passes around such a point. `whom` is stored as a digest; `shown` is for the log.
    """

    kind: str
    whom: str
    shown: str
    most: int
    seconds: int

    def slot(self, now: float) -> Slot:
        """The counter of the window that `now` lies in."""
        name = digest(f"{self.kind} {int(now // self.seconds)} {self.whom}")[:32]
        return Slot(name, keep_seconds=self.seconds + _MINUTE)


def calls_from(address: str) -> Tally:
    """API calls from one client address, whoever makes them."""
    return Tally("calls from", address, address, settings.API_CALLS_PER_MINUTE_PER_ADDRESS, _MINUTE)


def calls_with(key_prefix: str) -> Tally:
    """API calls with one key."""
    return Tally("calls with key", key_prefix, key_prefix, settings.API_CALLS_PER_MINUTE_PER_KEY, _MINUTE)


def failed_logins(address: str, email: str) -> tuple[Tally, Tally]:
    """Wrong keys and passwords from one address: for this e-mail address, and for all together.

    Never for an e-mail address alone: whoever guesses from elsewhere would lock its owner out.
    """
    seconds = settings.FAILED_LOGIN_WINDOW_SECONDS
    both = f"{address} {email.strip().lower()}"
    return (
        Tally(
            "failed logins for one e-mail from", both, address, settings.FAILED_LOGINS_PER_ADDRESS_AND_EMAIL, seconds
        ),
        Tally("failed logins from", address, address, settings.FAILED_LOGINS_PER_ADDRESS, seconds),
    )


def count(*tallies: Tally, now: datetime, room_in: Sequence[Tally] = ()) -> None:
    """Count one more for each of the tallies; those of `room_in` are only looked at.

    Errors: `RateLimited` when that is one too many, or when nothing more fits into one of `room_in`.
    """
    at = now.timestamp()
    added = [tally for tally in tallies if tally.most > 0]
    looked_at = [tally for tally in room_in if tally.most > 0]
    if not added and not looked_at:
        return
    numbers = shared_counters().visit(
        add=[tally.slot(at) for tally in added], read=[tally.slot(at) for tally in looked_at]
    )
    full = [tally for tally, number in zip(looked_at, numbers[len(added) :], strict=True) if number >= tally.most]
    for tally, number in zip(added, numbers[: len(added)], strict=True):
        if number > tally.most:
            full.append(tally)
        elif number == tally.most:
            logger.warning(
                "limits: %d %s %s in %d s; refused from now on", number, tally.kind, tally.shown, tally.seconds
            )
    if full:
        raise RateLimited(retry_after_seconds=max(math.ceil(tally.seconds - at % tally.seconds) for tally in full))
