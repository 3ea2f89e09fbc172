"""Whether the number of a new request may be called at all: asked of the app that knows, which registers itself here.

This app may not know telephony and its do-not-call lists, so telephony hands in the question when it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callcenter.lib.database import is_postgresql, rows_of
from requests_app.states import Hold

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from requests_app.models import CallRequest


@dataclass(frozen=True)
class NumberCheck:
    """The question in two steps: `condition`, which is asked of every new request, and `hold_of`, of the few it meets.

    Shape: `condition` is SQL with `{digest}` for the digest of the number; its answer may be yes where nothing stands
    against the call. `hold_of` gives the hold, `Hold.NONE` for a call that may be made; the request is stored already.
    """

    condition: str
    hold_of: Callable[[CallRequest, datetime], Hold]


_checks: list[NumberCheck] = []


def add_check(check: NumberCheck) -> None:
    """Let the check look at every number that comes in. Safe to repeat."""
    if check not in _checks:
        _checks.append(check)


def condition() -> str:
    """SQL that says whether anybody has to look at a number; its parameters are those of `params`."""
    digest = "CAST(%s AS uuid)" if is_postgresql() else "%s"
    return " OR ".join(check.condition.format(digest=digest) for check in _checks) or "(1 = 0)"


def params(digest: UUID | None) -> list[object]:
    """The parameters of `condition`; a request without a number meets none."""
    value = digest if digest is None or is_postgresql() else digest.hex
    return [value] * len(_checks)


def is_suspect(digest: UUID) -> bool:
    """Whether somebody has to look at the number. One query."""
    return bool(rows_of(f"SELECT ({condition()}) AS is_suspect", params(digest))[0]["is_suspect"])


def hold_of(call_request: CallRequest, *, now: datetime) -> Hold:
    """Why the stored request must not be called; `Hold.NONE` when nothing is known against it."""
    return next((hold for check in _checks if (hold := check.hold_of(call_request, now))), Hold.NONE)
