"""Who calls: a token in the query, in the form or as a Bearer, good for one or more companies."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from callcenter.accounts.models import Company
from callcenter.lib.errors import InvalidInput, NotFound
from helpdesk.selectors.attendants import attendants_of_user
from helpdesk.selectors.tokens import TokenRights, token_rights
from helpdesk.services.companies import attendant_for, helpdesk_of
from helpdesk.services.tokens import note_token_use

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from helpdesk.data import CompanyRef
    from helpdesk.models import Attendant


class Caller:
    """The program behind a valid token."""

    def __init__(self, rights: TokenRights) -> None:
        self.token = rights.token
        self.companies = rights.companies

    @cached_property
    def by_id(self) -> dict[int, CompanyRef]:
        """The companies by our own id."""
        return {company.id: company for company in self.companies.values()}

    @property
    def scope(self) -> list[int]:
        """Our ids of the companies that this caller may touch."""
        return list(self.by_id)

    def company(self, key: uuid.UUID | None) -> CompanyRef:
        """The company with that id; without one, the token's only company.

        Errors: `NotFound` for a company that is not the token's, known or not; `InvalidInput` for none of several.
        """
        if key is not None:
            if key not in self.companies:
                raise NotFound(_("O token não dá acesso a esta empresa."))
            return self.companies[key]
        if len(self.companies) != 1:
            raise InvalidInput("Empresa", _("O token vale para mais de uma empresa: informe Empresa."))
        return next(iter(self.companies.values()))

    def attendant_in(self, company_id: int) -> Attendant:
        """The token's user as an attendant of the company."""
        found = attendants_of_user(self.token.user_id).get(company_id)
        return found or attendant_for(self.token.user, Company.objects.get(pk=company_id))


def caller_of(secret: str, *, now: datetime) -> Caller | None:
    """The caller with this token; None when it is missing, unknown, over, or its user or companies are disabled.

    Effects: at most one UPDATE a minute and token.
    """
    rights = token_rights(secret, now=now)
    if rights is not None and rights.unsettled:
        for company in Company.objects.filter(pk__in=rights.unsettled):
            helpdesk_of(company)
        rights = token_rights(secret, now=now)
    if rights is None:
        return None
    note_token_use(rights.token, now=now)
    return Caller(rights)
