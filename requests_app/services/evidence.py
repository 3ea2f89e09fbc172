"""Who asked to be called, when and through which door: what the ledger proves of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from requests_app.data import Evidence
from requests_app.models import LedgerEntry
from requests_app.states import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

# The doors through which a person's own wish comes in.
_ASKING: Final = (Source.CSCART, Source.VENDDOR, Source.ADMIN, Source.HELPDESK)


def evidence_of(digests: Mapping[int, UUID]) -> dict[int, Evidence]:
    """The evidence that somebody asked to be called at that number, by request; one without any is left out.

    Shape: request id → digest of the number that is to be called.
    It is the ledger entry that brought the request's present number, through a door that speaks for a person; an
    import does not. Entries of before the numbers' digests count as long as the number was not changed after them.
    One query.
    """
    kinds = (LedgerEntry.Kind.CREATED, LedgerEntry.Kind.EDITED, LedgerEntry.Kind.STATUS)
    entries = LedgerEntry.objects.filter(call_request_id__in=list(digests), kind__in=kinds, source__in=_ASKING)
    found: dict[int, Evidence] = {}
    for entry in entries.order_by("call_request_id", "id").values("call_request_id", "kind", "at", "source", "detail"):
        is_new = entry["kind"] == LedgerEntry.Kind.CREATED
        if not is_new and "phone" not in entry["detail"].get("fields", ()):
            continue
        request_id, number = entry["call_request_id"], entry["detail"].get("number")
        if number == digests[request_id].hex or (number is None and is_new):
            found[request_id] = Evidence(asked_at=entry["at"], source=entry["source"])
        else:
            found.pop(request_id, None)
    return found
