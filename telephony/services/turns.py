"""When a claimed call leaves: at its own instant, and no sooner after the line's last than its calls per second allow.

A claim gives the instants, over all workers. Calls that are late (the queue stood still, the machine was busy) have
them behind them and would all leave at once; so each process keeps its own calls on a line apart, too.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.utils import timezone

if TYPE_CHECKING:
    from telephony.models import CallAttempt

_lock: Final = Lock()
# By line, the instant of the monotonic clock from which the next call may leave: clocks of the wall are set back.
_free_from: Final[dict[int, float]] = {}


def seconds_until_turn(attempt: CallAttempt) -> float | None:
    """How long the attempt has to wait, its turn being taken; None = its lease would be over."""
    now, today = time.monotonic(), timezone.now()
    with _lock:
        free_from = _free_from.get(attempt.line_id, now)
        wait = max(0.0, (attempt.send_at - today).total_seconds(), free_from - now)
        if attempt.lease_until is None or wait > (attempt.lease_until - today).total_seconds():
            return None
        _free_from[attempt.line_id] = now + wait + 1 / attempt.line.calls_per_second
    return wait
