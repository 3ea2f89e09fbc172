"""The root of every deliberate error.

DomainError
├── InvalidPhone          callcenter.lib.phones
├── SecretUnreadable      callcenter.lib.secrets
├── InvalidMove           callcenter.lib.states: the state table forbids it
├── OutboundError         callcenter.lib.outbound: a POST to a stranger's address had no answer
├── RateLimited           callcenter.lib.limits: too often; says when to come back
├── InvalidInput          a value that a caller can mend; names the field
├── NotFound              no such row, or not visible to this caller
├── Conflict              the row is in a state in which this can't be done now
└── ProviderError         telephony.providers.base (its tree is drawn there)
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal that the code meant: `code` is stable, the message is for an operator.

    `context` is for the log; it never holds a phone number, a token or a password.
    """

    code: ClassVar[str] = "domain_error"

    def __init__(self, message: str = "", **context: Any) -> None:
        super().__init__(message or self.code)
        self.message = message or self.code
        self.context = context


class InvalidInput(DomainError):
    """A field that the caller sent can't be accepted; the caller should mend it and send again."""

    code = "invalid_input"

    def __init__(self, field: str, message: str, **context: Any) -> None:
        super().__init__(message, **context)
        self.field = field


class NotFound(DomainError):
    """There is no such row for this caller; a foreign company's row is indistinguishable from none."""

    code = "not_found"


class Conflict(DomainError):
    """The row exists, but its present state forbids the request; nothing was changed."""

    code = "conflict"
