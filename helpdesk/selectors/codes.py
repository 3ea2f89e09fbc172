"""The numbers and titles of our enumerations on the wire: the defaults, and what an installation changed."""

from __future__ import annotations

from functools import cache
from typing import Final

from django.db.models import IntegerChoices
from django.utils.translation import override

from helpdesk.models import WireCode
from helpdesk.states import AttendantKind, Category, OccurrenceCategory, OccurrenceStatus, Platform

Kind = WireCode.Kind
_ENUMS: Final[dict[str, type[IntegerChoices]]] = {
    Kind.PLATFORM: Platform,
    Kind.ATTENDANT_KIND: AttendantKind,
    Kind.CATEGORY: Category,
    Kind.OCCURRENCE_CATEGORY: OccurrenceCategory,
    Kind.OCCURRENCE_STATUS: OccurrenceStatus,
}


class WireCodes:
    """A translation between our numbers and those of the wire, both ways."""

    def __init__(self, rows: list[WireCode]) -> None:
        self._out = {kind: {value: value for value in enum.values} for kind, enum in _ENUMS.items()}
        self._titles = {kind: dict(titles) for kind, titles in _portuguese().items()}
        for row in rows:
            self._out[row.kind][row.value] = row.code
            if row.title:
                self._titles.setdefault(row.kind, {})[row.value] = row.title
        self._in = {kind: {code: value for value, code in codes.items()} for kind, codes in self._out.items()}

    def out(self, kind: str, value: int | None) -> int | None:
        """The number on the wire."""
        return None if value is None else self._out[kind].get(value)

    def into(self, kind: str, code: int) -> int | None:
        """Our number; None when the wire's means nothing here."""
        return self._in[kind].get(code)

    def title(self, kind: str, value: int | None) -> str | None:
        """What people read for our number."""
        return None if value is None else self._titles[kind].get(value)


@cache
def _portuguese() -> dict[str, dict[int, str]]:
    """What travels is Portuguese, whatever the language of the request."""
    with override("pt-br"):
        return {kind: {member.value: str(member.label) for member in enum} for kind, enum in _ENUMS.items()}


def wire_codes() -> WireCodes:
    """The codes of this installation. One query."""
    return WireCodes(list(WireCode.objects.all()))
