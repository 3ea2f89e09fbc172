"""What every adapter gets and how it says that a message did not leave.

DomainError
└── NotDelivered   `permanent`: trying again is pointless; else the queue tries later
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from callcenter.lib.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpdesk.models import Atendimento, Attachment, Channel, Message

CONNECT_SECONDS: Final = 5.0


class NotDelivered(DomainError):
    """The medium did not take the message; `reason` is a short code for the log and for people."""

    code = "not_delivered"

    def __init__(self, reason: str, *, permanent: bool = False, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"The message did not leave ({reason}).", reason=reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Outgoing:
    """One message on its way: to `address` on the channel's medium; empty = the medium knows no address.

    `links` = where each attachment can be fetched for some days. `renew` is called right before the first byte leaves,
    and raises when the message is somebody else's by now.
    """

    message: Message
    atendimento: Atendimento
    channel: Channel
    address: str
    attachments: tuple[Attachment, ...]
    links: tuple[str, ...]
    renew: Callable[[], None]
