"""Connections to the mail servers that a channel names: nothing inside our network can be reached by them.

The name is resolved once and every address checked, as for outgoing webhooks; `WEBHOOK_ALLOWED_NETWORKS` may be
reached all the same.
"""

from __future__ import annotations

import imaplib
import smtplib
import ssl
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext as _

from callcenter.lib.outbound import connected_to
from helpdesk.channels.base import CONNECT_SECONDS, NotDelivered

if TYPE_CHECKING:
    import socket

    from django.core.mail.backends.base import BaseEmailBackend

    from helpdesk.models import Channel

# What `EMAIL_URL` says when it says nothing: mail would be thrown away and seem to have left.
NOWHERE: Final = "django.core.mail.backends.dummy.EmailBackend"


def outgoing_server(channel: Channel) -> BaseEmailBackend:
    """The connection by which the channel's mail leaves: its own server, or the installation's (`EMAIL_URL`).

    Errors: `NotDelivered` when there is neither.
    """
    host = channel.settings.get("smtp_host")
    if not host:
        if settings.EMAIL_BACKEND == NOWHERE:
            raise NotDelivered(_("não há servidor de e-mail configurado"), permanent=True)
        return get_connection(fail_silently=False)
    security = channel.settings.get("smtp_security", "starttls")
    return _GuardedBackend(
        host=str(host),
        port=int(channel.settings.get("smtp_port") or (465 if security == "ssl" else 587)),
        username=str(channel.settings.get("smtp_user") or ""),
        password=channel.secret,
        use_tls=security == "starttls",
        use_ssl=security == "ssl",
        timeout=settings.WEBHOOK_TIMEOUT_SECONDS,
    )


def incoming_server(channel: Channel) -> imaplib.IMAP4:
    """An IMAP connection to the channel's mailbox, not logged in yet.

    Errors: `OutboundError`, `OSError`, `imaplib.IMAP4.error`.
    """
    is_secure = channel.settings.get("imap_security", "ssl") == "ssl"
    host, port = (
        str(channel.settings["imap_host"]),
        int(channel.settings.get("imap_port") or (993 if is_secure else 143)),
    )
    return _GuardedImapSsl(host, port) if is_secure else _GuardedImap(host, port)


def _socket(host: str, port: int, timeout: float | None) -> socket.socket:
    sock = connected_to(host, port, connect_seconds=CONNECT_SECONDS, allowed_networks=settings.WEBHOOK_ALLOWED_NETWORKS)
    sock.settimeout(timeout or settings.WEBHOOK_TIMEOUT_SECONDS)
    return sock


class _GuardedSmtp(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _socket(host, port, timeout)


class _GuardedSmtpSsl(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(_socket(host, port, timeout), server_hostname=host)


class _GuardedBackend(EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _GuardedSmtpSsl if self.use_ssl else _GuardedSmtp


class _GuardedImap(imaplib.IMAP4):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        return _socket(self.host, self.port, timeout)


class _GuardedImapSsl(imaplib.IMAP4):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        context: Any = ssl.create_default_context()
        wrapped: socket.socket = context.wrap_socket(_socket(self.host, self.port, timeout), server_hostname=self.host)
        return wrapped
