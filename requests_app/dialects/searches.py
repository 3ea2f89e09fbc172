"""Where a page of a search lies: of a part of a name or a phone, or of what the mirror says of an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callcenter.lib.database import joined, rows_of
from requests_app.dialects.sampling import among_rows, draw_part, forget_part, proof_of_many
from requests_app.dialects.totals import (
    Cut,
    Many,
    last_page,
    remember,
    remembered_many,
    start_of,
    where_kept,
    where_rows,
)

if TYPE_CHECKING:
    from requests_app.dialects.filters import Asked


def cut_of_search(asked: Asked, page: int, size: int, order: str) -> Cut:
    """A page of what is found: collected, as far as it is counted; what finds more is met soon on the way by date.

    One query; none while it is remembered that there are too many. Besides, once in an hour and process: two when that
    had to be counted, and one when the part that was drawn no longer proves what it did.
    """
    many = remembered_many(asked) or _proven_many(asked)
    if many is None:
        found = _found(asked, page, size, order)
        if found["n"] <= Many.MOST:
            page = min(page, last_page(found["n"], size)) if found["n"] else page
            return Cut(found["n"], page, f"r.id IN ({found['ids']})" if found["ids"] else "")
        many = Many.of(found["n"] * found["whole_span"] / found["span"], found["most"])
        draw_part()
    remember(asked, many)
    page = min(page, last_page(many.most, size))
    where, params = where_rows(asked, by_walking=True)
    return Cut(many.estimate, page, where, params, (page - 1) * size, is_estimate=True)


def _proven_many(asked: Asked) -> Many | None:
    """How many there are about, when the part drawn shows that they are too many to count. At most one query."""
    proof = proof_of_many(asked)
    if proof is None:
        return None
    (among, ids), (where, params) = among_rows(proof.ids), where_rows(asked, by_walking=True)
    kept, kept_params = where_kept(asked)
    found = rows_of(
        "SELECT count(*) AS sure,"
        f" (SELECT CAST(sum(number) AS bigint) FROM requests_app_keptcount WHERE {kept}) AS most"
        f" FROM requests_app_callrequest r WHERE {among} AND {where}",
        [*kept_params, *ids, *params],
    )[0]
    if found["sure"] < proof.needed:
        forget_part()
        return None
    return Many.of(proof.estimate, found["most"])


def _found(asked: Asked, page: int, size: int, order: str) -> dict[str, Any]:
    """The number `n` of hits, one more than are counted at most, and the page's `ids`.

    Shape: `span`, `whole_span` = of the ids of the hits and of the table, `most` = no more can be found.
    """
    where, params = where_rows(asked)
    kept, kept_params = where_kept(asked)
    return rows_of(
        f"""
        WITH hits AS MATERIALIZED (
            SELECT r.id, r.requested_at FROM requests_app_callrequest r WHERE {where} LIMIT {Many.MOST + 1}
        ), counted AS (SELECT count(*) AS n, min(id) AS first, max(id) AS last FROM hits)
        SELECT n, last - first + 1 AS span,
            (SELECT max(id) - min(id) + 1 FROM requests_app_callrequest) AS whole_span,
            (SELECT CAST(sum(number) AS bigint) FROM requests_app_keptcount WHERE {kept}) AS most,
            (SELECT {joined("id")} FROM (
                SELECT r.id FROM hits r, counted WHERE n <= {Many.MOST} ORDER BY {order}
                LIMIT {size} OFFSET (SELECT {start_of(page, size, "n")} FROM counted)
            ) AS page) AS ids
        FROM counted""",
        [*params, *kept_params],
    )[0]
