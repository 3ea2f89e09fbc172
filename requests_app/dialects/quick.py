"""The lists and items that programs ask for all day, in SQL written by hand.

The ORM takes many times longer to write these queries than the database to answer them. What they mean is said by
`filters` and `listing`, which answer everything that is not asked for every day: other orders, other filters, all rows
at once, cursors. A test asks both ways for the same and compares.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from callcenter.lib.database import as_instant, as_stored, rows_of
from requests_app.dialects.filters import Asked, CallRequestFilter, asked_for, leading_number
from requests_app.dialects.listing import CHUNK, Listing, Row, asked_size, asked_sort
from requests_app.dialects.products import cart_names_sql, product_name_sql
from requests_app.dialects.searches import cut_of_search
from requests_app.dialects.totals import Cut, kept_total, last_page, start_of, where_kept, where_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORDERS: Final = {"date": ("requested_at", "id"), "id": ("id",)}
# Skipping more rows than this costs more than looking up where the page's week begins.
_FAR: Final = 2_000
_WEEK: Final = timedelta(days=7)
_INSTANTS: Final = frozenset({"requested_at", "wanted_at", "updated_at", "completed_at"})
_MIRRORS: Final = """,
    (SELECT o.status FROM requests_app_order o WHERE o.company_id = r.company_id AND o.number = r.order_number)
        AS order_status,
    {product_name} AS product,
    {cart_names} AS cart_names"""


@dataclass(frozen=True)
class Shape:
    """The columns that a dialect shows, and whether it shows what the mirrors say of orders and products.

    `language` is the one of products' names; empty = the shop's own.
    """

    columns: tuple[str, ...]
    has_mirrors: bool = False
    language: str = ""


def quick_row(request_id: int, *, scope: frozenset[int] | None, shape: Shape) -> Row | None:
    """The request with that id among the companies in the scope (None = all); None when there is none. One query."""
    if not 0 < request_id < 2**63:
        return None
    where, params = where_rows(Asked(companies=scope))
    rows = rows_of(f"{_select(shape)} WHERE r.id = %s AND {where}", [request_id, *params])
    return _read(rows, shape)[0] if rows else None


def quick_page(
    kind: type[CallRequestFilter], params: Mapping[str, str], *, scope: frozenset[int] | None, shape: Shape
) -> Listing | None:
    """The page that the query parameters ask for; None when it is not one for here.

    Two queries, whatever the size: where the page lies, and its rows; one for the first page.
    """
    sort_by, sort_order = asked_sort(params)
    size = asked_size(params)
    asked = asked_for(kind, params, company_scope=scope)
    if asked is None or sort_by not in _ORDERS or not 0 < size <= CHUNK:
        return None
    page, order = max(leading_number(params.get("page", "")), 1), _order(sort_by, sort_order)
    if page == 1 and not asked.is_search and not asked.is_nothing:
        total, rows = _first_page(asked, size, order, shape)
        cut = Cut(total, page)
    else:
        cut = _cut(asked, page, size, sort_by, sort_order)
        rows = _rows(cut, size, order, shape)
    return Listing(
        items_per_page=size,
        page=cut.page,
        sort_by=sort_by,
        sort_order=sort_order,
        total_items=cut.total,
        chunks=iter([rows]),
        is_estimate=cut.is_estimate,
    )


def _first_page(asked: Asked, size: int, order: str, shape: Shape) -> tuple[int, list[Row]]:
    """The kept total and the first rows, of one instant. One query; without rows there is none to say the total."""
    kept, kept_params = where_kept(asked)
    where, params = where_rows(asked)
    total = f"(SELECT sum(number) FROM requests_app_keptcount WHERE {kept}) AS kept_total"
    rows = rows_of(
        f"{_select(shape, total)} WHERE {where} ORDER BY {order} LIMIT {size}",
        [*kept_params, *params],
    )
    totals = [row.pop("kept_total") for row in rows]
    return int(totals[0] or 0) if totals else 0, _read(rows, shape)


def _cut(asked: Asked, page: int, size: int, sort_by: str, sort_order: str) -> Cut:
    if asked.is_nothing:
        return Cut(0, page)
    if asked.is_search:
        return cut_of_search(asked, page, size, _order(sort_by, sort_order))
    if (page - 1) * size > _FAR and sort_by == "date" and asked.responsible_id is None:
        return _cut_by_week(asked, page, size, sort_order)
    total = kept_total(asked)
    if not total:
        return Cut(0, page)
    page = min(page, last_page(total, size))
    where, params = where_rows(asked)
    return Cut(total, page, where, params, (page - 1) * size)


def _cut_by_week(asked: Asked, page: int, size: int, sort_order: str) -> Cut:
    """A page far back: the kept counts know in which week it begins, so that only a part of a week is skipped."""
    where, params = where_kept(asked)
    # The numbers stand in the text: as parameters PostgreSQL would have to guess what type they are.
    rows = rows_of(
        f"""
        WITH weeks AS (
            SELECT week, CAST(sum(number) AS bigint) AS number FROM requests_app_keptweek WHERE {where} GROUP BY week
        ), placed AS (
            SELECT week, CAST(sum(number) OVER () AS bigint) AS total,
                CAST(sum(number) OVER (ORDER BY week {sort_order}) AS bigint) - number AS before FROM weeks
        )
        SELECT week, total, before FROM placed
        WHERE before <= {start_of(page, size, "total")}
        ORDER BY before DESC LIMIT 1""",
        params,
    )
    if not rows or not rows[0]["total"]:
        return Cut(0, page)
    week, total = rows[0]["week"], int(rows[0]["total"])
    page = min(page, last_page(total, size))
    start = datetime.combine(week if isinstance(week, date) else date.fromisoformat(week), time(0), UTC)
    bound, at = ("r.requested_at < %s", start + _WEEK) if sort_order == "desc" else ("r.requested_at >= %s", start)
    where, params = where_rows(asked)
    return Cut(total, page, f"{where} AND {bound}", [*params, as_stored(at)], (page - 1) * size - rows[0]["before"])


def _rows(cut: Cut, size: int, order: str, shape: Shape) -> list[Row]:
    if not cut.where:
        return []
    select = _select(shape)
    if cut.offset:
        # The ids first: what is skipped never touches the wide columns or the mirrors.
        ids = f"SELECT r.id FROM requests_app_callrequest r WHERE {cut.where} ORDER BY {order}"
        query = f"{select} WHERE r.id IN ({ids} LIMIT {size} OFFSET {cut.offset}) ORDER BY {order}"
    else:
        query = f"{select} WHERE {cut.where} ORDER BY {order} LIMIT {size}"
    return _read(rows_of(query, cut.params), shape)


@lru_cache(maxsize=32)
def _select(shape: Shape, *more: str) -> str:
    columns = ", ".join([*more, *(f"r.{name}" for name in shape.columns)])
    if shape.has_mirrors:
        columns += _MIRRORS.format(
            product_name=product_name_sql("r", shape.language), cart_names=cart_names_sql("r", shape.language)
        )
    return f"SELECT {columns} FROM requests_app_callrequest r"


def _read(rows: list[Row], shape: Shape) -> list[Row]:
    """The rows with Python's values."""
    instants = [name for name in shape.columns if name in _INSTANTS]
    has_cart = "cart_products" in shape.columns
    for row in rows:
        for name in instants:
            row[name] = as_instant(row[name])
        if has_cart and row["cart_products"] is not None:
            row["cart_products"] = json.loads(row["cart_products"])
    return rows


def _order(sort_by: str, sort_order: str) -> str:
    return ", ".join(f"r.{column} {sort_order}" for column in _ORDERS[sort_by])
