"""How the admin shows states, instants and spans of time, so that it looks the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString


def badge(text: str, *, tone: str = "") -> SafeString:
    """The text in a coloured box. `tone` is a CSS class (new, progress, good, warn, bad; empty = grey)."""
    return format_html('<span class="badge badge--{}">{}</span>', tone or "plain", text)


def relative(at: datetime, *, now: datetime) -> str:
    """The distance to an instant in its largest unit: “em 5 minutos”, “há 2 dias”, “agora”."""
    if abs((at - now).total_seconds()) < 60:
        return _("agora")
    if at > now:
        return _("em %(time)s") % {"time": timeuntil(at, now, depth=1)}
    return _("há %(time)s") % {"time": timesince(at, now, depth=1)}


def absolute(at: datetime) -> str:
    """The instant in the installation's time zone, to the minute."""
    return date_format(timezone.localtime(at), "d/m/Y H:i")


def instant(at: datetime | None, *, now: datetime) -> SafeString | str:
    """The distance to an instant, and the instant below it; a dash for none."""
    if at is None:
        return "—"
    return format_html(
        '<time datetime="{}"><span class="relative">{}</span> <span class="absolute">{}</span></time>',
        at.isoformat(),
        relative(at, now=now),
        absolute(at),
    )


def span(seconds: float) -> str:
    """A length of time as people say it, in its largest whole unit."""
    whole = round(seconds)
    if whole >= 86400 and whole % 86400 == 0:
        return ngettext("%(n)s dia", "%(n)s dias", whole // 86400) % {"n": whole // 86400}
    if whole >= 3600 and whole % 3600 == 0:
        return ngettext("%(n)s hora", "%(n)s horas", whole // 3600) % {"n": whole // 3600}
    if whole >= 60 and whole % 60 == 0:
        return ngettext("%(n)s minuto", "%(n)s minutos", whole // 60) % {"n": whole // 60}
    return ngettext("%(n)s segundo", "%(n)s segundos", whole) % {"n": whole}


def clock(seconds: float) -> str:
    """The length of a call as minutes and seconds: `3:07`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes}:{rest:02d}"
