"""Named conditions on the helpdesk's rows."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from helpdesk.states import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable


class CompanyQuerySet(models.QuerySet):  # type: ignore[type-arg]  # one set of conditions for many models
    """Conditions on rows that belong to a company and are known by an id and a hash."""

    def visible_to(self, company_scope: Iterable[int] | None) -> Self:
        """Those of the companies in the scope; None = all."""
        return self if company_scope is None else self.filter(company_id__in=company_scope)

    def known_as(self, key: uuid.UUID) -> Self:
        """The row with this id or this hash; both are good everywhere."""
        return self.filter(Q(pk=key) | Q(hash=key))


class AtendimentoQuerySet(CompanyQuerySet):
    """Conditions on atendimentos."""

    def living(self) -> Self:
        """Those that were not deleted."""
        return self.filter(deleted_at=None)

    def open(self) -> Self:
        """Those that are neither closed nor deleted."""
        return self.living().filter(state__in=OPEN)


def access_granted_to(*names: object) -> Q:
    """The condition that a private atendimento's list of those who may see it has one of these names.

    As a whole entry: na@example.com is not meant by ana@example.com.
    """
    wanted = "|".join(re.escape(str(name)) for name in names if name)
    return Q(access_granted__iregex=rf"(^|[\s,;])({wanted})($|[\s,;])") if wanted else Q(pk__in=[])
