"""Walking a whole list by cursor, for integrators who read everything: `cursor=` on either dialect's list.

Neither original has it. The first call has an empty `cursor`; each answer's `params.next_cursor` goes into the next
call, and is null when the walk is over. A page costs the same wherever it lies, and rows that come meanwhile move
nothing: what was shown is not shown again, what was there is not passed over.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.utils.translation import gettext as _

from requests_app.dialects.http import Refused
from requests_app.dialects.listing import CHUNK, Listing, asked_size, asked_sort

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from requests_app.dialects.filters import Rows

# The sorts whose keys may stand in a URL, and in a log: no name, no phone.
_COLUMNS: Final = {"date": "requested_at", "id": "pk"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def walk(
    rows: Rows, params: Mapping[str, str], *, present: Callable[[Rows], Any], owner: str, filters: Collection[str]
) -> Listing:
    """The rows after the cursor, at most 500 of them, with the next cursor; one query, and nothing is counted.

    `owner` is whose cursor it must be; `filters` names the parameters that must be as they were when it was given.

    Errors: `Refused` 400 for a cursor that is broken or of another owner, order or filter, and for an order by
    something else than date or id.
    """
    sort_by, sort_order = asked_sort(params)
    if sort_by not in _COLUMNS:
        raise Refused(400, _("sort_by: com cursor, use um destes: %(allowed)s") % {"allowed": ", ".join(_COLUMNS)})
    size = min(asked_size(params) or CHUNK, CHUNK, int(settings.CSCART_ITEMS_PER_PAGE_CEILING))
    meant = {name: params[name] for name in sorted(filters) if name in params}
    signer = Signer(sep=".", salt=json.dumps(["cursor", owner, sort_by, sort_order, meant]))
    sign = "-" if sort_order == "desc" else ""
    if params["cursor"]:
        rows = rows.filter(_after(_opened(params["cursor"], signer), sort_by, is_descending=bool(sign)))
    by_key = () if sort_by == "id" else (f"{sign}{_COLUMNS[sort_by]}",)
    found = list(present(rows.order_by(*by_key, f"{sign}pk"))[: size + 1])
    page = found[:size]
    return Listing(
        items_per_page=size,
        page=1,
        sort_by=sort_by,
        sort_order=sort_order,
        total_items=None,
        chunks=iter([page]),
        is_walk=True,
        next_cursor=_sealed(page[-1], signer) if len(found) > size else None,
    )


def _sealed(row: Mapping[str, Any], signer: Signer) -> str:
    """The place after the row, signed."""
    return signer.sign_object([(row["requested_at"] - _EPOCH) // _MICROSECOND, row["id"]])


def _opened(cursor: str, signer: Signer) -> tuple[datetime, int]:
    """Instant and id of the row that the cursor stands behind.

    Errors: `Refused` 400.
    """
    try:
        microseconds, row_id = signer.unsign_object(cursor)
    except (BadSignature, ValueError, UnicodeError) as error:
        refusal = _("cursor: não é deste usuário, desta ordem e destes filtros; comece de novo com cursor vazio")
        raise Refused(400, refusal) from error
    return _EPOCH + microseconds * _MICROSECOND, row_id


def _after(place: tuple[datetime, int], sort_by: str, *, is_descending: bool) -> Q:
    """The rows behind that place; the plain bound on the first column is what an index can start at."""
    at, row_id = place
    beyond = "lt" if is_descending else "gt"
    later_id = Q(**{f"pk__{beyond}": row_id})
    if sort_by == "id":
        return later_id
    return Q(**{f"requested_at__{beyond}e": at}) & (Q(**{f"requested_at__{beyond}": at}) | later_id)
