"""What every provider's client may raise.

    ProviderError
    ├── NotSent            nothing left this machine: no connection, no TLS, no address
    ├── Unavailable        the provider said that it can't do it now, and did nothing
    ├── Refused            the provider said no, for this call alone (400, 404, 422 …)
    │   ├── Unauthorized   our credentials are wrong (401, 403): stop using them
    │   └── Misconfigured  a redirect, a missing channel or address: an operator must look
    └── Ambiguous          sent, and nobody knows what became of it: time-out, 5xx, cut, 200 without an id

The exception carries the caller's decision in two booleans:

    permanent           sending the same again can't succeed
    may_have_happened   the provider may have acted: never send it again by itself
"""

from __future__ import annotations

from typing import Any, ClassVar

from callcenter.lib.errors import DomainError


class ProviderError(DomainError):
    """A call to a provider did not end well; see the two booleans.

    `status_code` is the HTTP status, or None when there was no answer. The message holds no secret and no number.
    """

    code = "provider_error"
    permanent: ClassVar[bool] = False
    may_have_happened: ClassVar[bool] = False

    def __init__(self, message: str = "", *, status_code: int | None = None, **context: Any) -> None:
        super().__init__(message, status_code=status_code, **context)
        self.status_code = status_code


class NotSent(ProviderError):
    """Surely not sent; the caller may try again later."""

    code = "not_sent"


class Unavailable(ProviderError):
    """The provider said that it can't do it now; the caller may try again later."""

    code = "unavailable"


class Refused(ProviderError):
    """Refused for what it asks; a person must mend the data."""

    code = "refused"
    permanent = True


class Unauthorized(Refused):
    """Our credentials are refused; the caller pauses the line or account."""

    code = "unauthorized"


class Misconfigured(Refused):
    """The address or the setup is wrong; the caller pauses the line or account."""

    code = "misconfigured"


class Ambiguous(ProviderError):
    """It may have happened; the caller records the doubt and never repeats it by itself."""

    code = "ambiguous"
    may_have_happened = True
