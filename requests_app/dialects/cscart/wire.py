"""CS-Cart's words for a call request: rows to items, bodies to fields; no query is made here.

Source: CS-Cart, "Заявки на обратный звонок: call_requests" (REST API 2.0).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests_app.dialects.listing import Listing

# Names of this dialect that differ from ours.
_TO_DOMAIN: Final = {
    "user_id": "responsible_id",
    "order_id": "order_number",
    "product_id": "product_number",
    "timestamp": "requested_at",
}
WIRE_NAMES: Final = {ours: theirs for theirs, ours in _TO_DOMAIN.items()}

# The columns that an item is made of, besides those of the mirrors: order_status, product, cart_names.
COLUMNS: Final = (
    "id", "company_id", "order_number", "responsible_id", "product_number", "requested_at", "status", "name", "phone",
    "time_from", "time_to", "notes", "cart_products",
)  # fmt: skip

Row = dict[str, Any]


def item(row: Row) -> dict[str, Any]:
    """A request as CS-Cart shows it: strings or null, in the order of the documented sample; never the e-mail."""
    return {
        "request_id": str(row["id"]),
        "company_id": str(row["company_id"]),
        "order_id": str(row["order_number"]),
        "user_id": str(row["responsible_id"] or 0),
        "product_id": str(row["product_number"]),
        "timestamp": str(int(row["requested_at"].timestamp())),
        "status": row["status"],
        "name": row["name"],
        "phone": row["phone"],
        "time_from": row["time_from"],
        "time_to": row["time_to"],
        "notes": row["notes"],
        "cart_products": _cart_with_names(row) if row["cart_products"] else "",
        "order_status": row["order_status"],
        "product": row["product"],
    }


def params(page: Listing, query: Mapping[str, str]) -> dict[str, Any]:
    """What a list says about itself: the documented keys, then the other query parameters as they came.

    `total_items` is absent when all rows were asked for, as in CS-Cart; a walk by cursor has no `page` either, and a
    `next_cursor`. `total_is_estimate` is there only when it is one.
    """
    said: dict[str, Any] = {
        "items_per_page": str(page.items_per_page),
        "page": page.page,
        "sort_order": page.sort_order,
        "sort_by": page.sort_by,
        "sort_order_rev": page.sort_order_rev,
    }
    if page.total_items is not None:
        said["total_items"] = str(page.total_items)
    if page.is_estimate:
        said["total_is_estimate"] = "Y"
    if page.is_walk:
        del said["page"]
        said["next_cursor"] = page.next_cursor
    for name, value in query.items():
        if name not in said and name not in {"_d", "page", "total_items", "total_is_estimate"}:
            said[name] = value.strip() if name in {"id", "name", "phone"} else value
    return said


def fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a checked body under our names; what CS-Cart ignores is left out."""
    values = {_TO_DOMAIN.get(name, name): value for name, value in body.items() if name != "company_id"}
    if "responsible_id" in values:
        values["responsible_id"] = values["responsible_id"] or None
    # "Absent, empty or 0" means now for a new request, and is no date for an old one.
    if seconds := values.pop("requested_at", 0):
        values["requested_at"] = datetime.fromtimestamp(seconds, UTC)
    if "cart_products" in values:
        values["cart_products"] = cart(values["cart_products"])
    return values


def is_empty_to_php(value: Any) -> bool:
    """Whether PHP's `empty()` would be true: nothing, false, 0, "", "0", and a list or map without entries."""
    return not value or value == "0"


def cart(sent: Any) -> list[Any] | dict[str, Any] | None:
    """The entries that name a product, in the list or map they came in; None when none does."""
    if isinstance(sent, dict):
        return {key: entry for key, entry in sent.items() if _product_id(entry)} or None
    if isinstance(sent, list):
        return [entry for entry in sent if _product_id(entry)] or None
    return None


def _product_id(entry: Any) -> Any:
    """The entry's product id when PHP would take it for true."""
    found = entry.get("product_id") if isinstance(entry, dict) else None
    return None if is_empty_to_php(found) else found


def _product_number(entry: Any) -> int:
    """The entry's product id as a number; 0 when it is none."""
    found = _product_id(entry)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 18:
        return int(found)
    return found if isinstance(found, int) and 0 < found < 2**63 else 0


def _cart_with_names(row: Row) -> Any:
    names = json.loads(row["cart_names"] or "{}")

    def named(entry: Any) -> Any:
        name = names.get(str(_product_number(entry)))
        return entry if name is None else {**entry, "product": name}

    stored = row["cart_products"]
    if isinstance(stored, dict):
        return {key: named(entry) for key, entry in stored.items()}
    return [named(entry) for entry in stored]
