"""Reads of accounts: who a key belongs to, who takes calls, what a user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils import timezone

from callcenter.accounts.models import ApiKey, Company, User
from callcenter.lib.secrets import digest, same

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_PREFIX_LENGTH: Final = 8


def key_owner(email: str, secret: str) -> ApiKey | None:
    """The valid key (with its user) that these credentials name; None when anything about them is wrong.

    One query. Every refusal costs the same digest and comparison, so its time tells nothing.
    """
    secret = secret.strip()
    key = None
    # Keys are letters and digits; some other characters can't even be asked for (NUL, half a surrogate pair).
    if secret.isascii() and secret.isalnum():
        key = (
            ApiKey.objects.select_related("user")
            .filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)
            .filter(prefix=secret[:KEY_PREFIX_LENGTH], user__is_active=True)
            .first()
        )
    right = same(digest(secret), key.digest if key else "0" * 64)
    if key and right and same(key.user.email.lower(), email.strip().lower()):
        return key
    return None


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
    if User.objects.filter(pk__in=ids, companies=None).exists():
        return set(Company.objects.values_list("pk", flat=True))
    return set(Company.objects.filter(users__in=ids).values_list("pk", flat=True))


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
