"""Tokens of the API: issued, revoked, and remembered when used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from callcenter.lib.secrets import digest, random_token
from helpdesk.data import IssuedToken
from helpdesk.models import ApiToken
from helpdesk.services.companies import attendant_for, helpdesk_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from callcenter.accounts.models import Company, User

PREFIX_LENGTH: Final = 8
# Writing "last used" on every request would make every read a write.
_LAST_USED_RESOLUTION: Final = timedelta(minutes=1)


def issue_token(
    user: User, companies: Iterable[Company], *, name: str, expires_at: datetime | None = None
) -> IssuedToken:
    """A new token of 40 letters and digits (238 bits) for these companies; its text is returned here and nowhere else.

    Effects: what the API needs of each company, its settings and the user as an attendant, is there afterwards.
    """
    secret = random_token(40)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user, name=name, prefix=secret[:PREFIX_LENGTH], digest=digest(secret), expires_at=expires_at
        )
        for company in companies:
            token.companies.add(company)
            helpdesk_of(company)
            attendant_for(user, company)
    return IssuedToken(token=token, secret=secret)


def revoke_token(token: ApiToken, *, now: datetime) -> bool:
    """Whether this call revoked the token; the next request with it is refused."""
    return bool(ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now))


def note_token_use(token: ApiToken, *, now: datetime) -> None:
    """Remember that the token was used, to the minute.

    Effects: at most one UPDATE a minute and token.
    """
    if token.last_used_at is not None and now - token.last_used_at < _LAST_USED_RESOLUTION:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _LAST_USED_RESOLUTION)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
