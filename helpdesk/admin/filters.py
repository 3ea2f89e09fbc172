"""The filters of the list of conversations; without a choice it shows what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from helpdesk.models import Message
from helpdesk.states import HELD, OPEN, Delivery, S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest

QUEUES: Final = {
    "open": _("Em aberto"),
    "mine": _("Comigo"),
    "waiting": _("Esperando resposta"),
    "queue": _("Na fila"),
    "people": _("Com pessoas"),
    "automatic": _("Com bot ou IA"),
    "failed": _("Com falha de envio"),
    "closed": _("Concluídos"),
    "all": _("Todos"),
}


def in_queue(rows: QuerySet[Any], name: str, *, user_id: int | None) -> QuerySet[Any]:
    """The conversations of that heading."""
    conditions = {
        "open": Q(state__in=OPEN),
        "mine": Q(state__in=OPEN, attendant__user=user_id),
        "waiting": Q(is_waiting=True, state__in=OPEN),
        "queue": Q(state=S.QUEUED),
        "people": Q(state__in=HELD),
        "automatic": Q(state=S.AUTOMATIC),
        "closed": Q(state=S.CLOSED),
        "all": Q(),
    }
    if name == "failed":
        # Apart, so that the database looks up the few failed ones by their own index.
        return rows.filter(pk__in=_failed())
    return rows.filter(conditions.get(name, Q()))


def _failed() -> QuerySet[Any, Any]:
    return Message.objects.filter(delivery=Delivery.FAILED).values("atendimento_id")


class QueueFilter(admin.SimpleListFilter):
    """Where conversations stand; what is open, unless something else is chosen or looked for."""

    title = _("fila")
    parameter_name = "fila"
    default: ClassVar[str] = "open"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        self.user_id = request.user.pk
        self.is_searching = bool(request.GET.get("q", "").strip())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The headings."""
        return list(QUEUES.items())

    @property
    def chosen(self) -> str:
        """The heading that holds now."""
        value = self.value()
        if value in QUEUES:
            return str(value)
        return "all" if self.is_searching else self.default

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The headings, the one that holds marked."""
        for value, title in self.lookup_choices:
            yield {
                "selected": self.chosen == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
                # Said on the closed filter too, so that nobody takes the part for the whole.
                "is_restriction": True,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The conversations of the heading that holds."""
        return in_queue(queryset, self.chosen, user_id=self.user_id)
