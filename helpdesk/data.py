"""Frozen values that the helpdesk's services take and give, for its own doors and for other apps."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from helpdesk.models import ApiToken, Atendimento, Message


class Bell(enum.Enum):
    """What may be done at once after a write; beat finds it later anyway."""

    DELIVER = "deliver"
    ASSIGN = "assign"
    ANSWER = "answer"


# What a round of automatic answers, or of passing on, may leave to be done.
WHATEVER_FOLLOWS: Final = frozenset({Bell.DELIVER, Bell.ASSIGN})


@dataclass(frozen=True)
class Done:
    """What a service did: the atendimento as it is now, and whether this call changed it.

    `message` = what was written, if anything was. `bells` = what the caller may ring for after the commit.
    """

    atendimento: Atendimento
    has_changed: bool = True
    message: Message | None = None
    bells: frozenset[Bell] = field(default_factory=frozenset)


@dataclass(frozen=True)
class NewFile:
    """A file that comes with a message: it lies elsewhere at `url`, or here as `stored_name`."""

    name: str
    url: str
    content_type: str = ""
    size: int = 0
    stored_name: str = ""


@dataclass(frozen=True)
class IssuedToken:
    """A new token of the API; `secret` is shown here and nowhere else."""

    token: ApiToken
    secret: str


@dataclass(frozen=True)
class CompanyRef:
    """A company as the API names it."""

    id: int
    uid: uuid.UUID
    title: str
    time_zone: str


@dataclass(frozen=True)
class ContactEntry:
    """One line of a contact's timeline, from whichever app knows of it.

    `kind` is a CSS class (conversation, request, attempt); `details` are label and text pairs.
    """

    at: datetime
    kind: str
    title: str
    details: tuple[tuple[str, str], ...] = ()
    url: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class Callback:
    """A call that was asked for; `text` says so to people, `url` leads to it."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class DropRules:
    """What a company wants of calls that drop: how many callbacks in a row, and what is too short to be a talk."""

    callbacks: int
    seconds: int


@dataclass(frozen=True)
class Talk:
    """That a requester and a person have talked in a conversation since `since`; the numbers they may be called at.

    `told_at` = the mark under which it is told, for `mark_told`.
    """

    atendimento_id: uuid.UUID
    company_id: int
    numbers: frozenset[str]
    since: datetime
    told_at: datetime
    user_id: int | None
