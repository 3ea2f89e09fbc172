"""One page of a list: its order, its bounds and its rows; the parameter table is the same in both dialects.

Source: CS-Cart's call_requests page (page, items_per_page, sort_by, sort_order); Venddor prints the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import Case, CharField, F, IntegerField, OuterRef, Subquery, Value, When
from django.db.models.functions import Lower

from requests_app.dialects.filters import Rows, leading_number
from requests_app.dialects.totals import capped_total, kept_total
from requests_app.models import CallRequest, Order
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models.expressions import Expression

    from requests_app.dialects.filters import Asked

Row = dict[str, Any]

# Up to so many rows are held at once; longer pages are streamed.
CHUNK: Final = 500

_ORDER: Final = Order.objects.filter(company_id=OuterRef("company_id"), number=OuterRef("order_number"))


def order_status() -> Subquery:
    """The letter of the request's order; null without one."""
    return Subquery(_ORDER.values("status")[:1], output_field=CharField())


def _status_rank() -> Expression:
    ranks = (When(status=status, then=Value(rank)) for rank, status in enumerate(Status.values))
    return Case(*ranks, output_field=IntegerField())


SORTS: Final[Mapping[str, Callable[[], tuple[Expression | F | Subquery, ...]]]] = {
    "id": tuple,
    "date": lambda: (F("requested_at"),),
    "status": lambda: (_status_rank(),),
    "name": lambda: (Lower("name"),),
    "phone": lambda: (F("phone"),),
    "user_id": lambda: (F("responsible_id"),),
    "user": lambda: (Lower("responsible__last_name"), Lower("responsible__first_name")),
    "order": lambda: (F("order_number"),),
    "order_status": lambda: (order_status(),),
}
_NULLABLE: Final = frozenset({"user_id", "user", "order_status"})


@dataclass(frozen=True)
class Listing:
    """The rows of one page and how it was cut; `items_per_page` 0 = all, and then `total_items` is None.

    `is_walk`: it was asked for by cursor, and has neither a number nor a total; `next_cursor` None = the walk is over.
    `is_estimate`: there are more than are counted, about `total_items`.
    """

    items_per_page: int
    page: int
    sort_by: str
    sort_order: str
    total_items: int | None
    chunks: Iterator[list[Row]]
    is_walk: bool = False
    next_cursor: str | None = None
    is_estimate: bool = False

    @property
    def sort_order_rev(self) -> str:
        """The opposite order, for a client's column heads."""
        return "asc" if self.sort_order == "desc" else "desc"

    @property
    def is_short(self) -> bool:
        """Whether all the rows may be held at once."""
        return 0 < self.items_per_page <= CHUNK


def listing(
    rows: Rows, params: Mapping[str, str], *, present: Callable[[Rows], Any], asked: Asked | None = None
) -> Listing:
    """The page of `rows` that the query parameters ask for; `present` picks the columns.

    `asked`: what the rows were filtered by, where the kept counts know it.

    Two queries, whatever the size: a count and the rows; one when all the rows are asked for, up to the ceiling.
    """
    sort_by, sort_order = asked_sort(params)
    descending = sort_order == "desc"
    size = asked_size(params)
    page = max(leading_number(params.get("page", "")), 1)
    total, is_estimate = None, False
    if size:
        total, is_estimate = _total(rows, asked)
        page = min(page, -(-total // size)) if total else page
        # The page's ids first: sorting and skipping then never touch the wide columns or the mirrors.
        ids = _ordered(rows, sort_by, descending=descending).values("pk")[(page - 1) * size : page * size]
        rows = CallRequest.objects.filter(pk__in=ids) if total else rows.none()
        found = present(_ordered(rows, sort_by, descending=descending))
    else:
        found = present(_ordered(rows, sort_by, descending=descending))[: settings.CSCART_ITEMS_PER_PAGE_CEILING]
    return Listing(
        items_per_page=size,
        page=page,
        sort_by=sort_by,
        sort_order=sort_order,
        total_items=total,
        chunks=_chunks(found, whole=0 < size <= CHUNK),
        is_estimate=is_estimate,
    )


def _total(rows: Rows, asked: Asked | None) -> tuple[int, bool]:
    """How many rows there are, and whether that is an estimate."""
    if asked is None or asked.is_search or asked.is_nothing:
        return capped_total(rows)
    return kept_total(asked), False


def _ordered(rows: Rows, sort_by: str, *, descending: bool) -> Rows:
    """By the sort's columns, then the id in the same direction; nobody and nothing come first going up, as in MySQL."""
    # Named columns, not expressions in ORDER BY: Django loses the table alias of those inside a subquery.
    columns = {f"_sort_{number}": column for number, column in enumerate(SORTS[sort_by]())}
    rows = rows.alias(**columns)
    if descending:
        nulls = {"nulls_last": True} if sort_by in _NULLABLE else {}
        return rows.order_by(*(F(name).desc(**nulls) for name in columns), "-pk")
    nulls = {"nulls_first": True} if sort_by in _NULLABLE else {}
    return rows.order_by(*(F(name).asc(**nulls) for name in columns), "pk")


def asked_sort(params: Mapping[str, str]) -> tuple[str, str]:
    """The sort's name and its order; the default ones where an unknown one is asked for."""
    sort_by = params.get("sort_by", "")
    return sort_by if sort_by in SORTS else "date", "asc" if params.get("sort_order") == "asc" else "desc"


def asked_size(params: Mapping[str, str]) -> int:
    """How many rows a page has; 0 = all of them."""
    text = params.get("items_per_page")
    if text is None:
        return int(settings.CSCART_ITEMS_PER_PAGE)
    if text.strip().strip("0") == "":
        return 0
    asked = leading_number(text)
    if asked <= 0:
        return int(settings.CSCART_ITEMS_PER_PAGE)
    return min(asked, int(settings.CSCART_ITEMS_PER_PAGE_CEILING))


def _chunks(found: Any, *, whole: bool) -> Iterator[list[Row]]:
    if whole:
        yield list(found)
        return
    rows = found.iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
