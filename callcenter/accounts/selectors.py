"""Reads of accounts: who a key belongs to, who takes calls, what a user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from django.utils import timezone

from callcenter.accounts.data import KeyRights
from callcenter.accounts.models import ApiKey, Company, User
from callcenter.lib.database import as_instant, as_stored, joined, known_row, rows_of
from callcenter.lib.secrets import digest, same

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_PREFIX_LENGTH: Final = 8


# One query for the key, its user, their permissions in one app, and their companies.
_KEY_RIGHTS: Final = """
SELECT k.id AS key_id, k.prefix, k.digest, k.last_used_at, u.id, u.email, u.first_name, u.last_name, u.is_superuser,
    (SELECT {companies} FROM accounts_user_companies c WHERE c.user_id = u.id) AS companies,
    (SELECT {codenames} FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
     WHERE t.app_label = %s AND (
        p.id IN (SELECT permission_id FROM accounts_user_user_permissions WHERE user_id = u.id)
        OR p.id IN (SELECT g.permission_id FROM auth_group_permissions g
                    JOIN accounts_user_groups m ON m.group_id = g.group_id WHERE m.user_id = u.id))) AS codenames
FROM accounts_apikey k JOIN accounts_user u ON u.id = k.user_id
WHERE k.prefix = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s) AND u.is_active
"""


def key_rights(email: str, secret: str, *, app_label: str) -> KeyRights | None:
    """The valid key that these credentials name, with what its user may do in the app; None when anything is wrong.

    A superuser's permissions are not listed. One query. Every refusal costs the same digest and comparison, so its
    time tells nothing.
    """
    secret, found = secret.strip(), None
    # Keys are letters and digits; some other characters can't even be asked for (NUL, half a surrogate pair).
    if secret.isascii() and secret.isalnum():
        query = _KEY_RIGHTS.format(companies=joined("c.company_id"), codenames=joined("p.codename"))
        rows = rows_of(query, [app_label, secret[:KEY_PREFIX_LENGTH], as_stored(timezone.now())])
        found = rows[0] if rows else None
    right = same(digest(secret), found["digest"] if found else "0" * 64)
    if found and right and same(found["email"].lower(), email.strip().lower()):
        return _key_rights(found)
    return None


def _key_rights(row: dict[str, Any]) -> KeyRights:
    is_superuser = bool(row["is_superuser"])
    named = {name: row[name] for name in ("id", "email", "first_name", "last_name")}
    user = known_row(User, **named, is_superuser=is_superuser)
    companies = frozenset(map(int, row["companies"].split(","))) if row["companies"] else None
    user.company_scope = None if is_superuser else companies
    stored = {"id": row["key_id"], "last_used_at": as_instant(row["last_used_at"])}
    key = known_row(ApiKey, user_id=row["id"], prefix=row["prefix"], digest=row["digest"], **stored)
    key.user = user
    return KeyRights(key=key, codenames=frozenset((row["codenames"] or "").split(",")) - {""})


def key_owner(email: str, secret: str) -> ApiKey | None:
    """The valid key (with its user) that these credentials name; None when anything about them is wrong."""
    found = key_rights(email, secret, app_label="")
    return None if found is None else found.key


def companies_of(user: User) -> list[Company]:
    """The active companies whose rows the user may see, by name."""
    companies = Company.objects.filter(is_active=True)
    if user.company_scope is not None:
        companies = companies.filter(pk__in=user.company_scope)
    return list(companies)


def available_attendant_ids(company_id: int) -> set[int]:
    """Ids of the people who take calls of this company now."""
    return set(
        User.objects.filter(
            Q(companies=company_id) | Q(companies=None), presence=User.Presence.AVAILABLE, is_active=True
        ).values_list("pk", flat=True)
    )


def companies_by_available_attendant() -> dict[int, set[int]]:
    """Who takes calls now, with the ids of their companies; an empty set = all companies. Two queries."""
    available = User.objects.filter(presence=User.Presence.AVAILABLE, is_active=True)
    found: dict[int, set[int]] = {user_id: set() for user_id in available.values_list("pk", flat=True)}
    memberships = User.companies.through.objects.filter(user__presence=User.Presence.AVAILABLE, user__is_active=True)
    for user_id, company_id in memberships.values_list("user_id", "company_id"):
        found.setdefault(user_id, set()).add(company_id)
    return found


def companies_served_by(user_ids: Iterable[int]) -> set[int]:
    """Ids of the companies for which any of these people takes calls."""
    ids = list(user_ids)
    if User.objects.filter(pk__any_of=ids, companies=None).exists():
        return set(Company.objects.values_list("pk", flat=True))
    return set(Company.objects.filter(users__pk__any_of=ids).distinct().values_list("pk", flat=True))


def assignable_users(company_ids: Iterable[int] | None) -> list[User]:
    """The active staff who may answer for requests of all these companies (None = any), by name."""
    users = User.objects.filter(is_active=True, is_staff=True)
    for company_id in company_ids or []:
        users = users.filter(Q(companies=company_id) | Q(companies=None))
    return list(users.distinct())


def is_assignable(user_id: int, *, company_id: int) -> bool:
    """Whether that user exists, is active staff, and works for the company."""
    return (
        User.objects.filter(pk=user_id, is_active=True, is_staff=True)
        .filter(Q(companies=company_id) | Q(companies=None))
        .exists()
    )


def assignable_names(company_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """For each of the companies, who may answer for its requests: id and "last name first name". One query."""
    found: dict[int, dict[int, str]] = {company_id: {} for company_id in company_ids}
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
    for user_id, last_name, first_name, company_id in staff.values_list("pk", "last_name", "first_name", "companies"):
        for served in found if company_id is None else found.keys() & {company_id}:
            found[served][user_id] = f"{last_name} {first_name}".strip()
    return found
