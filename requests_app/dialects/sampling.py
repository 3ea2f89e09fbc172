"""A random part of all requests, by which a list knows that it finds more than are counted, without counting.

A process draws the part when it has counted in vain, and keeps it for an hour. Whatever happened since, the part proves
nothing but what holds now: those of its rows that a list would find are looked up again each time.
"""

from __future__ import annotations

import json
import math
import random
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from callcenter.lib.database import is_postgresql, rows_of
from requests_app.dialects.totals import Many

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests_app.dialects.filters import Asked
    from requests_app.dialects.totals import Where

_SIZE: Final = 2_500
_KEPT_SECONDS: Final = 3600.0
# A list of exactly so many as are counted is taken for a longer one less often than once in a thousand million.
_DOUBT: Final = 1e-9

_TEXTS: Final = ("name", "phone")
_VALUES: Final = ("order_status", "order_email", "has_order")
_COLUMNS: Final = """r.id, r.company_id, r.status, r.responsible_id, r.name, r.phone, r.order_number,
    o.status AS order_status, o.email AS order_email"""


@dataclass(frozen=True)
class Proof:
    """Rows of which so many (`needed`) must still be found, so that there are more than are counted: `estimate`."""

    ids: list[int]
    needed: int
    estimate: int


class _Part:
    """So many numbers drawn from `span`, and the rows that have one of them, with texts in upper case."""

    def __init__(self, drawn: int, span: int, rows: list[dict[str, Any]]) -> None:
        self.drawn, self.span = drawn, span
        self.kept_until = time.monotonic() + _KEPT_SECONDS
        self._rows = [_in_upper_case(row) for row in rows]
        # What tells within microseconds that a search finds few, and which rows it may find.
        self._texts = {name: "\n".join(row[name] for row in self._rows) for name in _TEXTS}
        self._ends = {name: list(accumulate(len(row[name]) + 1 for row in self._rows)) for name in _TEXTS}
        self._by_value: dict[tuple[str, Any], list[dict[str, Any]]] = {}
        for row in self._rows:
            for name in _VALUES:
                self._by_value.setdefault((name, row[name]), []).append(row)

    def meant(self, asked: Asked, *, least: int) -> list[int]:
        """The ids of the rows that a search would find, as they were when drawn; none when they are fewer than that."""
        texts = [(column, text.upper()) for column, text in asked.texts]
        if any(self._texts[column].count(text) < least for column, text in texts):
            return []
        lists = [self._by_value.get(value, []) for value in _order_values(asked)]
        if texts:
            lists.append(self._with_text(*texts.pop()))
        rows = min(lists, key=len)
        for column, text in texts:
            rows = [row for row in rows if text in row[column]]
        for name, value in _order_values(asked):
            rows = [row for row in rows if row[name] == value]
        for name, values in (("company_id", asked.companies), ("status", asked.statuses)):
            if values is not None:
                rows = [row for row in rows if row[name] in values]
        if asked.responsible_id is not None:
            rows = [row for row in rows if (row["responsible_id"] or 0) == asked.responsible_id]
        return [row["id"] for row in rows] if len(rows) >= least else []

    def _with_text(self, column: str, text: str) -> list[dict[str, Any]]:
        whole, ends, found = self._texts[column], self._ends[column], []
        at = whole.find(text)
        while at >= 0:
            place = bisect_right(ends, at)
            found.append(self._rows[place])
            at = whole.find(text, ends[place])
        return found


_parts: Final[list[_Part]] = []


def proof_of_many(asked: Asked) -> Proof | None:
    """What would show that a search finds more than are counted; None when the part that is kept can't."""
    part = _part()
    if part is None:
        return None
    needed = _needed(part.drawn, part.span)
    ids = part.meant(asked, least=needed)
    if not ids:
        return None
    # A few more than are needed, for those that have changed meanwhile.
    return Proof(ids[: needed + needed // 8 + 5], needed, round(len(ids) * part.span / part.drawn))


def draw_part() -> None:
    """Nothing; the process has a part that is no older than an hour. Two queries, unless it had one."""
    if _part() is not None:
        return
    bounds = rows_of("SELECT min(id) AS first, max(id) AS last FROM requests_app_callrequest")[0]
    if bounds["first"] is None:
        return
    span = bounds["last"] - bounds["first"] + 1
    drawn = min(_SIZE, span)
    # No secret: any numbers that nobody chose will do.
    ids = random.sample(range(bounds["first"], bounds["last"] + 1), drawn)
    where, params = among_rows(ids)
    rows = rows_of(
        f"SELECT {_COLUMNS} FROM requests_app_callrequest r LEFT JOIN requests_app_order o"
        f" ON o.company_id = r.company_id AND o.number = r.order_number WHERE {where}",
        params,
    )
    _parts[:] = [_Part(drawn, span, rows)]


def among_rows(ids: list[int]) -> Where:
    """The condition that a request is one of these, as one parameter."""
    if is_postgresql():
        return "r.id = ANY(CAST(%s AS bigint[]))", [ids]
    return "r.id IN (SELECT value FROM json_each(%s))", [json.dumps(ids)]


def forget_part() -> None:
    """Nothing; the process keeps no part."""
    _parts.clear()


def _part() -> _Part | None:
    # Another thread may forget it at this moment.
    part = next(iter(_parts), None)
    return part if part is not None and time.monotonic() <= part.kept_until else None


def _needed(drawn: int, span: int) -> int:
    """How many of the rows drawn must be found, so that hardly ever a list of `Many.MOST` has as many among them.

    Formula: exp(-n * D(k/n || p)) bounds the chance of k or more hits in n draws of which each hits with p (Chernoff);
    Hoeffding (1963) showed it for draws that are not put back, too.
    """
    p = Many.MOST / span

    def is_enough(hits: int) -> bool:
        q = hits / drawn
        if q <= p:
            return False
        divergence = q * math.log(q / p) + ((1 - q) * math.log((1 - q) / (1 - p)) if q < 1 else 0.0)
        return drawn * divergence >= -math.log(_DOUBT)

    return bisect_left(range(drawn + 1), True, key=is_enough)


def _order_values(asked: Asked) -> list[tuple[str, Any]]:
    values: Iterable[tuple[str, Any]] = (
        ("order_status", asked.order_status),
        ("order_email", asked.order_email and asked.order_email.upper()),
        ("has_order", asked.has_order),
    )
    return [(name, value) for name, value in values if value is not None]


def _in_upper_case(row: dict[str, Any]) -> dict[str, Any]:
    upper = {name: (row[name] or "").upper() for name in ("name", "phone", "order_email")}
    return {**row, **upper, "has_order": row["order_number"] != 0}
