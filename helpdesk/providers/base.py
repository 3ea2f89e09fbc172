"""What every assistant is asked and answers, and what it may raise.

    AssistantError
    ├── Unavailable        no connection, time-out, 429, 5xx: another time it may work
    ├── Refused            our key, the address or the model is wrong (4xx, a redirect): an operator must look
    └── Unreadable         an answer that is none

`permanent` says that asking the same again can't succeed. Asking changes nothing at the assistant's, so it may always
be asked again. Whatever is raised, the conversation goes to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from callcenter.lib.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Sequence


class AssistantError(DomainError):
    """The assistant did not answer. The message holds nothing that was asked, and no key."""

    code = "assistant_error"
    permanent: ClassVar[bool] = False


class Unavailable(AssistantError):
    """Not now; another time it may work."""

    code = "assistant_unavailable"


class Refused(AssistantError):
    """Refused for our set-up; an operator must mend it."""

    code = "assistant_refused"
    permanent = True


class Unreadable(AssistantError):
    """What came back is no answer."""

    code = "assistant_unreadable"


class SourceKind(StrEnum):
    """Where a passage is from."""

    CANNED = "canned"
    ARTICLE = "article"


@dataclass(frozen=True)
class Passage:
    """Something that the company has written and that may be answered with; `keywords` are found like its title."""

    kind: SourceKind
    id: str
    title: str
    text: str
    keywords: str = ""


@dataclass(frozen=True)
class Said:
    """One earlier message of the conversation."""

    is_requester: bool
    text: str


@dataclass(frozen=True)
class Question:
    """What is unanswered, what was said before it (oldest first), and what may be answered with."""

    text: str
    passages: Sequence[Passage]
    history: Sequence[Said] = ()


@dataclass(frozen=True)
class Suggestion:
    """An answer with its reasons: `confidence` is 0 to 1; `sources` are the passages it is made of, never none."""

    text: str
    confidence: float
    sources: tuple[Passage, ...]


@dataclass(frozen=True)
class ContactDetails:
    """What a requester said of themselves; empty = nothing. The phone is in E.164."""

    name: str = ""
    email: str = ""
    phone_e164: str = ""
    company: str = ""
    city: str = ""
    fields: ClassVar[tuple[str, ...]] = ("name", "email", "phone_e164", "company", "city")

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.fields)

    def over(self, earlier: ContactDetails) -> ContactDetails:
        """These details, completed by earlier ones."""
        return ContactDetails(*(getattr(self, name) or getattr(earlier, name) for name in self.fields))


class Assistant(Protocol):
    """One that answers questions and reads details out of messages.

    *Errors* of its methods: `AssistantError`. *Safe to repeat?* Always.
    """

    def suggest(self, question: Question) -> Suggestion | None:
        """The best answer it can give by the passages, with its confidence; None when they hold none."""

    def contact_details(self, texts: Sequence[str]) -> ContactDetails:
        """What the requester's messages, oldest first, say of who they are; the latest word counts."""
