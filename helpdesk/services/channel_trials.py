"""Trying a channel out before customers do: what is sent, what is asked, and in words what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from callcenter.lib.limits import Tally, count
from callcenter.lib.secrets import SecretUnreadable
from helpdesk.channels import email, webhook
from helpdesk.channels.base import NotDelivered, http_text, reason_text
from helpdesk.channels.mailbox import Mailbox, MailboxClosed
from helpdesk.states import Adapter

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import User
    from helpdesk.models import Channel

# Enough to get the settings right, too few to look around in a network.
MOST_PER_MINUTE: Final = 6


@dataclass(frozen=True)
class Trial:
    """One thing that was tried, and what came of it in words."""

    title: str
    is_good: bool
    text: str


def try_channel(channel: Channel, user: User, *, now: datetime) -> list[Trial]:
    """What came of sending a test through the channel's adapter, and of opening its mailbox; a mail goes to the user.

    By the same guarded connections as real messages. Nothing is stored, and nobody but the user gets anything.
    Errors: `RateLimited`.
    """
    count(Tally("channel trials of", f"user {user.pk}", f"user {user.pk}", MOST_PER_MINUTE, 60), now=now)
    if channel.adapter == Adapter.WEBHOOK:
        return [_tried_webhook(channel, now=now)]
    if channel.adapter == Adapter.EMAIL:
        trials = [_tried_mail(channel, user.email)]
        return [*trials, _tried_mailbox(channel)] if channel.settings.get("imap_host") else trials
    return []


def _tried_webhook(channel: Channel, *, now: datetime) -> Trial:
    title, began = _("Chamada de teste ao destino"), time.monotonic()
    try:
        status = webhook.ping(channel, now=now)
    except NotDelivered as error:
        return Trial(title, is_good=False, text=_failed(error.reason))
    except SecretUnreadable:
        return Trial(title, is_good=False, text=_failed(_("segredo ilegível")))
    taken = {"answer": http_text(status), "ms": round((time.monotonic() - began) * 1000)}
    if 200 <= status < 300:
        return Trial(title, is_good=True, text=_("Aceita: %(answer)s em %(ms)s ms.") % taken)
    if 300 <= status < 400:
        text = _("Não aceita: %(answer)s em %(ms)s ms. Redirecionamentos não são seguidos; use o endereço final.")
    elif status in {401, 403}:
        text = _("Não aceita: %(answer)s em %(ms)s ms. Confira se o destino tem o mesmo segredo que o canal.")
    else:
        text = _("Não aceita: %(answer)s em %(ms)s ms. O destino precisa responder 2xx.")
    return Trial(title, is_good=False, text=text % taken)


def _tried_mail(channel: Channel, to: str) -> Trial:
    title = _("E-mail de teste")
    try:
        email.send_test(channel, to)
    except NotDelivered as error:
        return Trial(title, is_good=False, text=_failed(error.reason))
    except SecretUnreadable:
        return Trial(title, is_good=False, text=_failed(_("segredo ilegível")))
    text = _("O servidor aceitou o e-mail para %(to)s. Veja se chegou, também na pasta de spam.") % {"to": to}
    return Trial(title, is_good=True, text=text)


def _tried_mailbox(channel: Channel) -> Trial:
    title = _("Caixa de entrada")
    try:
        with Mailbox(channel):
            return Trial(title, is_good=True, text=_("A caixa abre; o que chegar nela vira atendimento."))
    except MailboxClosed as error:
        return Trial(title, is_good=False, text=_failed(mailbox_text(error)))
    except SecretUnreadable:
        return Trial(title, is_good=False, text=_failed(_("segredo ilegível")))


def mailbox_text(error: MailboxClosed) -> str:
    """Why a mailbox can't be read, in words."""
    if error.message == "error":
        return _("o servidor não aceitou o usuário, a senha ou a caixa INBOX")
    in_words = reason_text("timeout" if error.message == "TimeoutError" else error.message)
    if in_words != error.message:
        return in_words
    return _("o servidor não responde como servidor IMAP neste endereço, porta e segurança")


def _failed(reason: str) -> str:
    return _("Não deu certo: %(reason)s.") % {"reason": reason_text(reason)}
