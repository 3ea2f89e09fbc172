"""The columns of the list of conversations, and how their states look everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from callcenter.lib.display import badge, instant
from helpdesk.states import S

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from helpdesk.models import Atendimento

STATE_TONES: Final = {S.QUEUED: "warn", S.AUTOMATIC: "progress", S.ASSIGNED: "new", S.IN_SERVICE: "new", S.CLOSED: ""}
_LAST_WORDS: Final = 90


def state_badge(atendimento: Atendimento) -> SafeString:
    """The state in its colour."""
    return badge(str(atendimento.get_state_display()), tone=STATE_TONES[S(atendimento.state)])


def holder_name(atendimento: Atendimento) -> str:
    """Who holds it, else whose queue it is in."""
    if atendimento.attendant is not None:
        return atendimento.attendant.name
    if atendimento.responsible_team is not None:
        return _("Fila: %(team)s") % {"team": atendimento.responsible_team.name}
    return _("Fila da empresa") if atendimento.is_open else "—"


class AtendimentoColumns:
    """The columns."""

    @admin.display(description=gettext_lazy("solicitante"), ordering="contact__name")
    def requester(self, atendimento: Atendimento) -> SafeString:
        """Who asks, and how much of what they wrote nobody has read."""
        name = atendimento.contact.title if atendimento.contact else atendimento.title or _("Sem solicitante")
        if not atendimento.unread:
            return format_html('<span class="person">{}</span>', name)
        unread = ngettext("%(n)s não lida", "%(n)s não lidas", atendimento.unread) % {"n": atendimento.unread}
        return format_html('<span class="person">{}</span> <span class="unread">{}</span>', name, unread)

    @admin.display(description=gettext_lazy("situação"), ordering="state")
    def situation(self, atendimento: Atendimento) -> SafeString:
        """The state in its colour."""
        return state_badge(atendimento)

    @admin.display(description=gettext_lazy("protocolo"), ordering="number")
    def protocol_text(self, atendimento: Atendimento) -> str:
        """The company's number as people read it."""
        return atendimento.protocol

    @admin.display(description=gettext_lazy("canal"), ordering="platform")
    def medium(self, atendimento: Atendimento) -> str:
        """Where it is led."""
        return atendimento.channel.title if atendimento.channel else str(atendimento.get_platform_display())

    @admin.display(description=gettext_lazy("com quem"), ordering="attendant__name")
    def holder(self, atendimento: Atendimento) -> str:
        """Who holds it, else whose queue it is in."""
        return holder_name(atendimento)

    @admin.display(description=gettext_lazy("última mensagem"), ordering="last_message_number")
    def last_words(self, atendimento: Atendimento) -> SafeString | str:
        """The beginning of what was said last."""
        last = atendimento.last_message
        if last is None:
            return "—"
        text = " ".join(last.text.split())
        cut = text if len(text) <= _LAST_WORDS else f"{text[:_LAST_WORDS]}…"
        return format_html('<span class="last-words last-words--{}">{}</span>', "in" if last.is_inbound else "out", cut)

    @admin.display(description=gettext_lazy("espera desde"), ordering="waiting_since")
    def waits(self, atendimento: Atendimento) -> SafeString | str:
        """Since when the requester waits for an answer."""
        return instant(atendimento.waiting_since, now=timezone.now())
