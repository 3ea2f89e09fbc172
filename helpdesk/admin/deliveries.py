"""The admin of messages on their way out: what did not leave, why, and sending it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin, company_scope
from callcenter.lib.display import badge, instant
from helpdesk.channels.base import reason_text
from helpdesk.data import Bell
from helpdesk.models import Atendimento, Message
from helpdesk.services.companies import attendant_for
from helpdesk.services.delivery import send_again
from helpdesk.states import Delivery
from helpdesk.tasks import ring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

_TONES = {Delivery.PENDING: "progress", Delivery.SENT: "good", Delivery.FAILED: "bad"}
_FIRST_LETTERS = 80


def _place_of(message: Message) -> str:
    address = reverse("admin:helpdesk_atendimento_change", args=[message.atendimento_id])
    return f"{address}?m={message.number}#m{message.number}"


class DeliveryFilter(admin.SimpleListFilter):
    """How far messages are on their way; what failed, unless something else is chosen."""

    title = gettext_lazy("envio")
    parameter_name = "envio"
    shown: ClassVar[tuple[Delivery, ...]] = (Delivery.FAILED, Delivery.PENDING, Delivery.SENT)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The three that have left or are to leave."""
        return [(one.value, one.label) for one in self.shown]

    @property
    def chosen(self) -> str:
        """The one that holds now."""
        value = self.value()
        return str(value) if value in self.shown else Delivery.FAILED.value

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The three, the one that holds marked."""
        for value, title in self.lookup_choices:
            yield {
                "selected": self.chosen == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
                "is_restriction": True,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The messages of the one that holds."""
        return queryset.filter(delivery=self.chosen)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages that leave by e-mail or a gateway; the others are read in their conversations."""

    list_display = ("beginning", "company", "requester", "channel", "delivery_badge", "reason", "tries", "since")
    list_filter = (DeliveryFilter, "company", "created_at")
    list_select_related = ("company", "atendimento__contact", "atendimento__channel")
    list_display_links = None
    search_fields = ("contact__name", "delivery_error")
    search_help_text = gettext_lazy("Nome do solicitante ou motivo")
    ordering = ("-number",)
    actions = ("resend_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What leaves, of the conversations that the user may see."""
        rows = super().get_queryset(request).exclude(delivery=Delivery.NONE).filter(atendimento__deleted_at=None)
        if request.user.has_perm("helpdesk.assign_atendimento"):
            return rows
        conversations = self.admin_site.get_model_admin(Atendimento)
        return rows.filter(atendimento__in=conversations.get_queryset(request).order_by().values("pk"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, named for what it is for."""
        context = {"title": _("Envio de mensagens"), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The message where it was said: in its conversation."""
        message = self.get_object(request, object_id)
        if message is None or not self.has_view_permission(request, message):
            refused: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return refused
        return HttpResponseRedirect(_place_of(message))

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether the user may send again."""
        return bool(request.user.has_perm("helpdesk.resend_message"))

    @admin.display(description=gettext_lazy("mensagem"), ordering="number")
    def beginning(self, message: Message) -> SafeString:
        """The first words, leading to the message in its conversation."""
        text = " ".join(message.text.split()) or _("(só arquivo)")
        cut = text if len(text) <= _FIRST_LETTERS else f"{text[:_FIRST_LETTERS]}…"
        return format_html('<a href="{}">{}</a>', _place_of(message), cut)

    @admin.display(description=gettext_lazy("solicitante"))
    def requester(self, message: Message) -> str:
        """To whom."""
        return str(message.atendimento.contact or message.atendimento)

    @admin.display(description=gettext_lazy("canal"))
    def channel(self, message: Message) -> str:
        """By which channel."""
        return message.atendimento.channel.title if message.atendimento.channel else "—"

    @admin.display(description=gettext_lazy("envio"), ordering="delivery")
    def delivery_badge(self, message: Message) -> SafeString:
        """How far it is."""
        return badge(str(message.get_delivery_display()), tone=_TONES.get(Delivery(message.delivery), ""))

    @admin.display(description=gettext_lazy("motivo"), ordering="delivery_error")
    def reason(self, message: Message) -> str:
        """Why the last try failed, in words."""
        return reason_text(message.delivery_error) or "—"

    @admin.display(description=gettext_lazy("tentativas"), ordering="attempts")
    def tries(self, message: Message) -> int:
        """How often it was tried."""
        return message.attempts

    @admin.display(description=gettext_lazy("escrita"), ordering="created_at")
    def since(self, message: Message) -> SafeString | str:
        """When it was written."""
        return instant(message.created_at, now=timezone.now())

    @admin.action(description=gettext_lazy("Enviar de novo"), permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Send these again, with all their tries."""
        now, bells = timezone.now(), set[Bell]()

        def resend(message: Message) -> str:
            by = attendant_for(request.user, message.company)  # type: ignore[arg-type]
            bells.update(send_again(message.pk, scope=company_scope(request), now=now, by=by).bells)
            return _("Enviada de novo")

        self.run_for_each(request, queryset.order_by("number"), do=resend)
        ring(bells)
