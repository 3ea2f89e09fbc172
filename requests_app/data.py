"""Frozen values that cross the border of this app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import User


@dataclass(frozen=True)
class Origin:
    """Through which door a change came (a `Source` value), and which person made it (None = a program)."""

    source: str
    actor: User | None = None


class DueRequest(NamedTuple):
    """A request whose time has come, as the dialer needs it; the window's texts are the customer's own."""

    id: int
    company_id: int
    phone_e164: str
    attempts: int
    time_from: str
    time_to: str


@dataclass(frozen=True)
class WaitingRetry:
    """A request that waits for its next try: when it is due, and what else says when it may be called."""

    id: int
    company_id: int
    due_at: datetime
    time_from: str
    time_to: str


@dataclass(frozen=True)
class Evidence:
    """That a request's number was given by somebody who asked to be called there: when, and through which door."""

    asked_at: datetime
    source: str


@dataclass(frozen=True)
class Reason:
    """One thing that stands against dialing a request. `until` None = nobody knows when it passes."""

    code: str
    text: str
    until: datetime | None = None
    needs_person: bool = False


@dataclass(frozen=True)
class Explanation:
    """Why a request is not dialed: every reason, the binding one first; what comes next, and when if that is known."""

    reasons: tuple[Reason, ...]
    next_step: str
    next_at: datetime | None = None

    @property
    def others(self) -> tuple[Reason, ...]:
        """The reasons behind the binding one."""
        return self.reasons[1:]


@dataclass(frozen=True)
class WaitingCount:
    """How many open requests of a company one reason binds; `reason` empty = they are due and wait for a line."""

    company_id: int
    reason: str
    count: int


@dataclass(frozen=True)
class LineStanding:
    """How one line is doing: `rank` grows from what takes a person to what passes by itself."""

    name: str
    reason: str
    rank: int
    may_dial: bool
    needs_person: bool
    url: str


@dataclass(frozen=True)
class KeptAnswer:
    """An HTTP answer that can be given again: the status, the JSON body, and the company whose request it tells of.

    `callback_at` = the slot that the callback was given; None = the company has none, or no time was wanted.
    """

    status: int
    body: bytes
    company_id: int
    callback_at: datetime | None = None


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a request's timeline, from whichever app knows of it.

    `kind` is a CSS class (ledger, attempt, event); `details` are label and text pairs.
    """

    at: datetime
    kind: str
    title: str
    details: tuple[tuple[str, str], ...] = ()
    url: str = ""
