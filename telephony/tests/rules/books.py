"""Rule books made of the rules that every installation starts with."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from telephony.models import CallingRule
from telephony.rulebook import Decision, Facts, Place, Purpose, RuleBook, decide, place_of
from telephony.services.defaults import default_calling_rules
from telephony.services.rule_snapshot import rule_of

if TYPE_CHECKING:
    from telephony.rulebook import Rule

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@cache
def default_rules() -> dict[str, Rule]:
    """The seeded rules by their codes, with the ids that the seed gives them."""
    rows = [dict(row) for row in default_calling_rules()]
    for row in rows:
        for name in ("valid_from", "valid_to"):
            if name in row:
                row[name] = date.fromisoformat(str(row[name]))
    return {str(row["code"]): rule_of(CallingRule(id=pk, **row)) for pk, row in enumerate(rows, start=1)}


def default_book(*codes: str) -> RuleBook:
    """The seeded rules, or only those of these codes."""
    return RuleBook(tuple(rule for code, rule in default_rules().items() if not codes or code in codes))


def judged(book: RuleBook, phone: str, at: str, activity: str, *, place: Place | None = None, **known: Any) -> Decision:
    """The decision about a call to the number at this local time of its place."""
    purpose = {name: known.pop(name) for name in ("sector", "exemption") if name in known}
    place = place or place_of(phone, elsewhere=SAO_PAULO)
    return decide(
        book,
        purpose=Purpose(1, activity, **purpose),
        place=place,
        facts=Facts(**known),
        now=datetime.fromisoformat(at).replace(tzinfo=place.zone),
    )
