"""How many requests a list has, and where a page of it lies, in SQL: kept, counted up to ten thousand, or estimated."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.exceptions import EmptyResultSet

from callcenter.lib.database import is_postgresql, rows_of
from requests_app.models.text_search import escaped, ids_with_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests_app.dialects.filters import Asked, Rows

Where = tuple[str, list[Any]]

# So long a search that finds too many is not counted again.
_REMEMBERED_SECONDS: Final = 60.0
_MOST_REMEMBERED: Final = 1_000
# The number above 0 is what the index of requests with an order asks for.
_OF_ORDER: Final = """r.order_number > 0 AND EXISTS (SELECT 1 FROM requests_app_order o
    WHERE o.company_id = r.company_id AND o.number = r.order_number AND {condition})"""


@dataclass(frozen=True)
class Many:
    """More matches than are counted: about how many, and what they can't be more than."""

    # Up to here a total is exact.
    MOST: ClassVar[int] = 10_000

    estimate: int
    most: int

    @classmethod
    def of(cls, estimate: float, most: int | None) -> Many:
        """About so many, within what is known for sure."""
        most = max(most or 0, cls.MOST + 1)
        return cls(min(most, max(cls.MOST + 1, round(estimate))), most)


@dataclass(frozen=True)
class Cut:
    """Where a page lies: the rows that `where` lets pass, in order, without the first `offset` of them."""

    total: int
    page: int
    where: str = ""
    params: Sequence[Any] = ()
    offset: int = 0
    is_estimate: bool = False


_remembered: Final[dict[Asked, tuple[float, Many]]] = {}


def remembered_many(asked: Asked) -> Many | None:
    """What was found out about these filters less than a minute ago, when it was too many to count."""
    until, many = _remembered.get(asked, (0.0, None))
    return many if time.monotonic() < until else None


def remember(asked: Asked, many: Many) -> None:
    """Nothing; it is known for a minute that these filters find so many."""
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[asked] = (time.monotonic() + _REMEMBERED_SECONDS, many)


def forget_many() -> None:
    """Nothing; the next search is new."""
    _remembered.clear()


def kept_total(asked: Asked) -> int:
    """The exact number of requests of these companies, statuses and responsible. One query over a few hundred rows."""
    where, params = where_kept(asked)
    total = rows_of(f"SELECT sum(number) AS total FROM requests_app_keptcount WHERE {where}", params)[0]["total"]
    return int(total or 0)


def capped_total(rows: Rows) -> tuple[int, bool]:
    """The number of the rows, and whether it is an estimate because there are more than are counted. One query."""
    try:
        sql, params = rows.order_by().values("id")[: Many.MOST + 1].query.sql_with_params()
    except EmptyResultSet:
        return 0, False
    found = rows_of(
        "SELECT count(*) AS n, max(id) - min(id) + 1 AS span,"
        " (SELECT max(id) - min(id) + 1 FROM requests_app_callrequest) AS whole_span"
        f" FROM ({sql}) AS hits",
        params,
    )[0]
    if found["n"] <= Many.MOST:
        return found["n"], False
    return round(found["n"] * found["whole_span"] / found["span"]), True


def start_of(page: int, size: int, total: str) -> str:
    """SQL for how many rows come before a page; one past the end is the last one."""
    before = min((page - 1) * size, 2**62)
    return (
        f"CASE WHEN {total} > {before} THEN {before} WHEN {total} > 0 THEN ({total} - 1) / {size} * {size} ELSE 0 END"
    )


def last_page(total: int, size: int) -> int:
    """The number of the last page."""
    return -(-total // size)


def where_kept(asked: Asked) -> Where:
    """The condition on a table of kept counts."""
    where, params = _where_common(asked, "")
    if asked.responsible_id is not None:
        where.append("responsible_id = %s")
        params.append(asked.responsible_id)
    return " AND ".join(where) or "1 = 1", params


def where_rows(asked: Asked, *, by_walking: bool = False) -> Where:
    """The condition on the table of requests as `r`. `by_walking`: so many match that an index of texts is no help."""
    where, params = _where_common(asked, "r.")
    if asked.responsible_id is not None:
        where.append("r.responsible_id = %s" if asked.responsible_id else "r.responsible_id IS NULL")
        params += [asked.responsible_id] if asked.responsible_id else []
    for column, text in asked.texts:
        where_text, text_params = _where_text(column, text, by_walking=by_walking)
        where.append(where_text)
        params += text_params
    if asked.has_order is not None:
        where.append("r.order_number > 0" if asked.has_order else "r.order_number = 0")
    if asked.order_status is not None:
        where.append(_OF_ORDER.format(condition="o.status = %s"))
        params.append(asked.order_status)
    if asked.order_email is not None:
        where.append(_OF_ORDER.format(condition="upper(o.email) = upper(%s)"))
        params.append(asked.order_email)
    return " AND ".join(where) or "1 = 1", params


def _where_common(asked: Asked, row: str) -> tuple[list[str], list[Any]]:
    where, params = [], []
    for column, values in (("company_id", asked.companies), ("status", asked.statuses)):
        if values is not None:
            where.append(f"{row}{column} IN ({', '.join(['%s'] * len(values))})")
            params += sorted(values)
    return where, params


def _where_text(column: str, text: str, *, by_walking: bool) -> Where:
    """The condition that the column of `r` has the text in it, in any case; the same as `contains_any_case`."""
    like = f"%{escaped(text)}%"
    if not is_postgresql():
        # SQLite folds only ASCII in LIKE.
        if text.isascii():
            return f"r.{column} LIKE %s ESCAPE '\\'", [like]
        return f"r.{column} REGEXP %s", [f"(?i){re.escape(text)}"]
    if by_walking:
        return f"upper(r.{column}::text) LIKE upper(%s)", [like]
    ids, params = ids_with_text(column, text)
    return f"r.id IN ({ids})", params
