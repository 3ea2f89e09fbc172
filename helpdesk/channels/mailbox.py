"""Reading a channel's mailbox by IMAP: what is unseen, one mail at a time, marked as seen when it was stored."""

from __future__ import annotations

import contextlib
import imaplib
from typing import TYPE_CHECKING, Final

from callcenter.lib.errors import DomainError
from callcenter.lib.outbound import OutboundError
from helpdesk.channels.mail_servers import incoming_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpdesk.models import Channel

# Of one mailbox in one round.
MOST_MAILS: Final = 50
MOST_BYTES: Final = 30 * 1024 * 1024


class MailboxClosed(DomainError):
    """The mailbox can't be read now; a later round tries again. The message is a code: why there was no connection, the
    type of the error, or the server's word."""

    code = "mailbox_closed"


class Mailbox:
    """The INBOX of a channel; use it in a `with`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __enter__(self) -> Mailbox:
        try:
            self._server = incoming_server(self._channel)
        except OutboundError as error:
            raise MailboxClosed(str(error.failure)) from error
        except (OSError, imaplib.IMAP4.error, KeyError, ValueError) as error:
            raise MailboxClosed(type(error).__name__) from error
        try:
            self._server.login(str(self._channel.settings.get("imap_user", "")), self._channel.secret)
            self._server.select("INBOX")
        except (OSError, imaplib.IMAP4.error) as error:
            self._hang_up()
            raise MailboxClosed(type(error).__name__) from error
        return self

    def __exit__(self, *_args: object) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._server.logout()
        self._hang_up()

    def unseen(self) -> Iterator[tuple[str, bytes]]:
        """The UID and the whole of each unseen mail; one that is too large comes empty.

        Errors: `MailboxClosed`.
        """
        for uid in self._ask("SEARCH", "UNSEEN").split()[:MOST_MAILS]:
            size = self._ask("FETCH", uid.decode(), "(RFC822.SIZE)")
            digits = size.rpartition(b"RFC822.SIZE")[2].strip(b" )")
            is_small = digits.isdigit() and int(digits) <= MOST_BYTES
            yield uid.decode(), self._ask("FETCH", uid.decode(), "(BODY.PEEK[])") if is_small else b""

    def mark_seen(self, uid: str) -> None:
        """Nothing; the next round leaves that mail out."""
        self._ask("STORE", uid, "+FLAGS", "(\\Seen)")

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown()

    def _ask(self, *words: str) -> bytes:
        try:
            status, found = self._server.uid(*words)
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxClosed(type(error).__name__) from error
        if status != "OK":
            raise MailboxClosed(status)
        first = found[0] if found else b""
        content = first[1] if isinstance(first, tuple) else first
        return content if isinstance(content, bytes) else b""
