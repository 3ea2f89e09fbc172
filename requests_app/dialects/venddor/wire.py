"""Venddor's words for a call request: rows to objects, bodies to fields; no query is made here.

Source: Venddor, "Call Requests API" (https://www.venddor.com.br/api/2.0).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput
from requests_app.states import Priority, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests_app.dialects.listing import Listing

_TO_DOMAIN: Final = {"request_time": "wanted_at", "assignee_id": "responsible_id"}
WIRE_NAMES: Final = {ours: theirs for theirs, ours in _TO_DOMAIN.items()}

# The page shows "high"; the other words are ours.
PRIORITIES: Final = {priority.name.lower(): priority for priority in Priority}
_PRIORITY_WORDS: Final = {int(priority): word for word, priority in PRIORITIES.items()}

# The page shows "pending" and "completed"; on input our finer words are taken too.
PENDING: Final = "pending"
STATUSES: Final = (PENDING, *Status.values)

COLUMNS: Final = (
    "id", "phone", "name", "wanted_at", "requested_at", "updated_at", "notes", "status", "priority", "responsible_id",
    "completed_at",
)  # fmt: skip

Row = dict[str, Any]


def item(row: Row) -> dict[str, Any]:
    """A request as Venddor shows it, in the order of the documented samples.

    Shape: `updated_at` and `completed_at` are absent until they are set; `request_time`, `notes`, `assignee_id` may be
    null.
    """
    shown = {
        "id": row["id"],
        "phone": row["phone"],
        "name": row["name"],
        "request_time": instant(row["wanted_at"]),
        "created_at": instant(row["requested_at"]),
        "updated_at": instant(row["updated_at"]),
        "notes": row["notes"],
        "status": Status.COMPLETED.value if row["status"] == Status.COMPLETED else PENDING,
        "priority": _PRIORITY_WORDS[row["priority"]],
        "assignee_id": row["responsible_id"],
        "completed_at": instant(row["completed_at"]),
    }
    for name in ("updated_at", "completed_at"):
        if shown[name] is None:
            del shown[name]
    return shown


def instant(at: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, with Z."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def params(page: Listing) -> dict[str, Any]:
    """What a list says about itself, numbers as numbers; `total_items` is absent when all rows were asked for,
    `total_is_estimate` unless it is one.

    A walk by cursor has no `page` either, and a `next_cursor`.
    """
    said: dict[str, Any] = {
        "items_per_page": page.items_per_page,
        "page": page.page,
        "sort_order": page.sort_order,
        "sort_by": page.sort_by,
        "sort_order_rev": page.sort_order_rev,
    }
    if page.total_items is not None:
        said["total_items"] = page.total_items
    if page.is_estimate:
        said["total_is_estimate"] = True
    if page.is_walk:
        del said["page"]
        said["next_cursor"] = page.next_cursor
    return said


def fields(body: Mapping[str, Any], *, current: str | None = None) -> dict[str, Any]:
    """The fields of a checked body under our names. `current` = the status of the request that is changed.

    `pending` leaves an open request in the finer state it is in, and opens a completed one again.

    Errors: `InvalidInput` for a completion time of a request that is not completed.
    """
    values = {_TO_DOMAIN.get(name, name): value for name, value in body.items() if name != "company_id"}
    if "responsible_id" in values:
        values["responsible_id"] = values["responsible_id"] or None
    if "priority" in values:
        values["priority"] = PRIORITIES[values["priority"]]
    if values.get("status") == PENDING:
        values["status"] = Status.NEW
        if current is not None and current != Status.COMPLETED:
            del values["status"]
    if values.get("completed_at") is None:
        values.pop("completed_at", None)
    elif values.get("status", current) != Status.COMPLETED:
        raise InvalidInput("completed_at", _("Só com status completed."))
    return values
