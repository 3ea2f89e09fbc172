"""The sidebar filters of the call requests' list that Django does not bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from callcenter.accounts.models import User
from callcenter.lib.admin import company_scope
from requests_app.admin.moments import MOMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest

NOBODY = "ninguem"
MYSELF = "eu"


class MomentFilter(admin.SimpleListFilter):
    """Where the request stands now: due, in flight, waiting, for a person, of today."""

    title = _("momento")
    parameter_name = "momento"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The named moments."""
        return [(name, moment.label) for name, moment in MOMENTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The requests at the chosen moment."""
        moment = MOMENTS.get(self.value() or "")
        return queryset.filter(moment.condition(timezone.now())) if moment else queryset


class ResponsibleFilter(admin.SimpleListFilter):
    """Whose the request is: mine, nobody's, or a colleague's."""

    title = _("responsável")
    parameter_name = "responsavel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Myself, nobody, and the staff of the companies that the user may see."""
        people = User.objects.filter(is_active=True, is_staff=True).exclude(email=request.user.get_username())
        scope = company_scope(request)
        if scope is not None:
            people = people.filter(Q(companies__in=scope) | Q(companies=None)).distinct()
        return [
            (MYSELF, _("Eu")),
            (NOBODY, _("Sem responsável")),
            *((str(person.pk), str(person)) for person in people),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen person's requests; none for an id that was not on offer."""
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen == NOBODY:
            return queryset.filter(responsible=None)
        if chosen == MYSELF:
            return queryset.filter(responsible=request.user.pk)
        if chosen not in {key for key, _text in self.lookup_choices}:
            return queryset.none()
        return queryset.filter(responsible=int(chosen))
