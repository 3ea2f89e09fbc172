"""The company that a new request belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from callcenter.accounts.selectors import companies_of
from callcenter.lib.errors import InvalidInput

if TYPE_CHECKING:
    from callcenter.accounts.models import User


def company_for(user: User, *, asked_id: int) -> int:
    """The id of the caller's own company, else of the one asked for (0 = none asked), else of the only one.

    Errors: `InvalidInput` that lists the possible companies when it can't be told which is meant.
    """
    scope = user.company_scope
    if scope is not None and len(scope) == 1:
        return next(iter(scope))
    ids = sorted(company.pk for company in companies_of(user))
    if asked_id in ids:
        return asked_id
    if len(ids) == 1 and not asked_id:
        return ids[0]
    if not ids:
        raise InvalidInput("company_id", _("Não há uma empresa ativa."))
    raise InvalidInput("company_id", _("Use um destes: %(allowed)s.") % {"allowed": ", ".join(map(str, ids))})
