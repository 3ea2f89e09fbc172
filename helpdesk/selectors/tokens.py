"""Which token a program sent, and the companies for which it is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from callcenter.lib.database import as_instant, as_stored, known_row, rows_of
from callcenter.lib.secrets import digest
from helpdesk.data import CompanyRef
from helpdesk.models import ApiToken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# One query, because every call asks it. A user who is bound to companies lends a token no others.
_SQL: Final = (
    "SELECT t.id, t.user_id, t.prefix, t.last_used_at, c.id AS company_id, c.name, c.time_zone, s.id AS uid"
    " FROM helpdesk_apitoken t"
    " JOIN accounts_user u ON u.id = t.user_id AND u.is_active"
    " JOIN helpdesk_apitoken_companies tc ON tc.apitoken_id = t.id"
    " JOIN accounts_company c ON c.id = tc.company_id AND c.is_active"
    " LEFT JOIN helpdesk_helpdesksettings s ON s.company_id = c.id"
    " WHERE t.digest = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %s)"
    " AND (u.is_superuser"
    " OR NOT EXISTS (SELECT 1 FROM accounts_user_companies m WHERE m.user_id = u.id)"
    " OR EXISTS (SELECT 1 FROM accounts_user_companies m WHERE m.user_id = u.id AND m.company_id = c.id))"
    " ORDER BY c.id"
)


@dataclass(frozen=True)
class TokenRights:
    """A valid token, and its companies by their id on the wire.

    `unsettled` = companies of which the helpdesk has no settings yet; a service makes them.
    """

    token: ApiToken
    companies: Mapping[UUID, CompanyRef]
    unsettled: tuple[int, ...] = ()


def token_rights(secret: str, *, now: datetime) -> TokenRights | None:
    """The token with this text and what it may touch; None when it is unknown, over, or good for no company."""
    if not secret:
        return None
    rows = rows_of(_SQL, [digest(secret), as_stored(now)])
    if not rows:
        return None
    first = rows[0]
    token = known_row(
        ApiToken,
        id=first["id"],
        user_id=first["user_id"],
        prefix=first["prefix"],
        last_used_at=as_instant(first["last_used_at"]),
    )
    companies = {}
    for row in rows:
        if row["uid"] is not None:
            uid = row["uid"] if isinstance(row["uid"], UUID) else UUID(row["uid"])
            companies[uid] = CompanyRef(row["company_id"], uid, row["name"], row["time_zone"])
    unsettled = tuple(row["company_id"] for row in rows if row["uid"] is None)
    return TokenRights(token=token, companies=companies, unsettled=unsettled)
