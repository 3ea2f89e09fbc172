"""What the admin shows of the meters of calls: the table on a line's page, and a warning on the front page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.dashboard import Panel, Row
from telephony.metering import Standing
from telephony.services.meters import meters_of, readings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telephony.models import DialerLine
    from telephony.services.meters import Figures, Reading

_WORDS: Final = {
    Standing.CLEAR: (gettext_lazy("Dentro do limite"), "good"),
    Standing.NEAR: (gettext_lazy("Perto do limite"), "warn"),
    Standing.REACHED: (gettext_lazy("Limite atingido"), "bad"),
}


def meter_context(line: DialerLine) -> dict[str, Any]:
    """What the table of a line's page needs. Three queries."""
    now = timezone.now()
    found = meters_of(line, now=now)
    shown = _("do número %(number)s") % {"number": line.originator} if line.originator else _("sem número próprio")
    rows = [(_("desta linha"), found.line), (shown, found.number), (_("da empresa"), found.company)]
    return {
        "limited_until": line.limited_until if line.limited_until and line.limited_until > now else None,
        "measures": list(found.company.short_today),
        "meter_rows": [{"label": label, "figures": figures, "short": _short(figures)} for label, figures in rows],
        "meter_limits": [
            {
                "name": one.limit.name,
                "url": reverse("admin:telephony_callingrule_change", args=[one.limit.rule_id]),
                "text": _told(one),
                "state": _WORDS[one.standing][0],
                "tone": _WORDS[one.standing][1],
            }
            for one in found.readings
        ],
    }


def meter_panels(lines: Sequence[DialerLine]) -> list[Panel]:
    """A warning for each company of these lines that is near a limit or has reached one. Three queries."""
    first: dict[int, DialerLine] = {}
    for line in lines:
        first.setdefault(line.company_id, line)
    readings = readings_of([line.company for line in first.values()], now=timezone.now())
    rows = [
        Row(
            label=one.limit.name,
            note=f"{first[company_id].company} · {_told(one)}",
            url=reverse("admin:telephony_dialerline_change", args=[first[company_id].pk]),
            state=str(_WORDS[one.standing][0]),
            tone=_WORDS[one.standing][1],
        )
        for company_id, found in readings.items()
        for one in found
        if one.standing != Standing.CLEAR
    ]
    url = reverse("admin:telephony_dialerline_changelist")
    return [Panel(_("Limites de chamadas"), 1, rows=rows, url=url)] if rows else []


def _told(one: Reading) -> str:
    calls, most = (
        number_format(one.used.calls, force_grouping=True),
        number_format(one.limit.calls, force_grouping=True),
    )
    if not one.limit.is_daily:
        return _("%(calls)s de %(most)s chamadas no mês") % {"calls": calls, "most": most}
    return _("%(calls)s de %(most)s chamadas hoje; curtas: %(share)s %% de %(limit)s %%") % {
        "calls": calls,
        "most": most,
        "share": _percent(one.used.short_share),
        "limit": _percent(one.limit.short_share or 0),
    }


def _short(figures: Figures) -> list[dict[str, Any]]:
    return [
        {"calls": calls, "percent": _percent(calls / figures.over_today) if figures.over_today else None}
        for calls in figures.short_today.values()
    ]


def _percent(share: float) -> str:
    return number_format(share * 100, 0)
