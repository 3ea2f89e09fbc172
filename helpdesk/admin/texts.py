"""The admin of what is written beforehand: ready answers, articles, messages for later, and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, ReadOnlyAdmin
from callcenter.lib.display import badge, instant
from callcenter.lib.errors import Conflict
from helpdesk.models import CannedMessage, KnowledgeArticle, ScheduledMessage, Tag
from helpdesk.services.booking import cancel_one
from helpdesk.states import ScheduledState

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_TONES = {ScheduledState.PENDING: "new", ScheduledState.SENT: "good", ScheduledState.FAILED: "bad"}


@admin.register(CannedMessage)
class CannedMessageAdmin(CompanyScopedAdmin):
    """Ready answers."""

    list_display = ("title", "company", "shortcut_text", "platform", "ia_may_use", "is_active")
    list_filter = ("company", "platform", "is_active", "ia_may_use")
    list_select_related = ("company",)
    search_fields = ("title", "text", "=shortcut")
    ordering = ("title",)
    fields = ("company", "title", "shortcut", "text", "platform", "ia_may_use", "is_active")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, with the variables that a text may name."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if "text" in form.base_fields:
            names = "{nome} {primeiro_nome} {protocolo} {atendente} {empresa} {saudacao}"
            form.base_fields["text"].help_text = _("Pode conter: %(names)s") % {"names": names}
        return form

    @admin.display(description=gettext_lazy("atalho"), ordering="shortcut")
    def shortcut_text(self, canned: CannedMessage) -> str:
        """What is typed to get it."""
        return "—" if canned.shortcut is None else f"/{canned.shortcut}"


@admin.register(KnowledgeArticle)
class KnowledgeArticleAdmin(CompanyScopedAdmin):
    """Articles from which the IA answers."""

    list_display = ("title", "company", "keywords", "is_active", "updated_at")
    list_filter = ("company", "is_active")
    list_select_related = ("company",)
    search_fields = ("title", "keywords", "body")
    ordering = ("title",)
    fields = ("company", "title", "keywords", "body", "is_active")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)

    def save_model(self, request: HttpRequest, obj: KnowledgeArticle, form: Any, change: bool) -> None:
        """Write the article and when it was changed."""
        obj.updated_at = timezone.now()
        form.changed_data = [*form.changed_data, "updated_at"]
        super().save_model(request, obj, form, change)


class TagForm(forms.ModelForm):  # type: ignore[type-arg]
    """One tag; its colour is picked."""

    class Meta:
        model = Tag
        fields: ClassVar[tuple[str, ...]] = ("company", "title", "colour")
        widgets: ClassVar[dict[str, Any]] = {"colour": forms.TextInput(attrs={"type": "color"})}


@admin.register(Tag)
class TagAdmin(CompanyScopedAdmin):
    """Tags."""

    form = TagForm
    list_display = ("title", "company", "sample")
    list_filter = ("company",)
    list_select_related = ("company",)
    search_fields = ("title",)
    ordering = ("title",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)

    @admin.display(description=gettext_lazy("cor"))
    def sample(self, tag: Tag) -> SafeString:
        """The colour, as a drawing: pages hold no styles of their own."""
        return format_html(
            '<svg class="tag-dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="{}"/></svg>'
            " {}",
            tag.colour,
            tag.colour,
        )


@admin.register(ScheduledMessage)
class ScheduledMessageAdmin(ReadOnlyAdmin):
    """Messages for later; they are written on the page of their conversation."""

    list_display = ("due", "company", "conversation", "attendant", "state_badge", "reason", "beginning")
    list_filter = ("company", "state", "due_at")
    list_select_related = ("company", "atendimento__contact", "attendant")
    search_fields = ("atendimento__contact__name", "text")
    ordering = ("-due_at",)
    actions = ("cancel_selected",)
    fields = ("company", "atendimento", "attendant", "text", "due_at", "state", "reason", "settled_at")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether the user may cancel messages for later."""
        return bool(request.user.has_perm("helpdesk.change_scheduledmessage"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of the conversations that the user may see."""
        rows = super().get_queryset(request)
        conversations = self.admin_site.get_model_admin(ScheduledMessage._meta.get_field("atendimento").related_model)
        return rows.filter(atendimento__in=conversations.get_queryset(request).order_by().values("pk"))

    @admin.display(description=gettext_lazy("enviar em"), ordering="due_at")
    def due(self, scheduled: ScheduledMessage) -> SafeString | str:
        """When it leaves."""
        return instant(scheduled.due_at, now=timezone.now())

    @admin.display(description=gettext_lazy("solicitante"))
    def conversation(self, scheduled: ScheduledMessage) -> SafeString:
        """To whom, leading to the conversation."""
        address = reverse("admin:helpdesk_atendimento_change", args=[scheduled.atendimento_id])
        return format_html('<a href="{}">{}</a>', address, scheduled.atendimento.contact or scheduled.atendimento)

    @admin.display(description=gettext_lazy("situação"), ordering="state")
    def state_badge(self, scheduled: ScheduledMessage) -> SafeString:
        """What became of it."""
        return badge(str(scheduled.get_state_display()), tone=_TONES.get(ScheduledState(scheduled.state), ""))

    @admin.display(description=gettext_lazy("mensagem"))
    def beginning(self, scheduled: ScheduledMessage) -> str:
        """The first words."""
        return scheduled.text[:60]

    @admin.action(description=gettext_lazy("Cancelar envio"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Cancel these."""

        def cancel(scheduled: ScheduledMessage) -> str:
            if not cancel_one(scheduled, now=timezone.now()):
                raise Conflict(_("já foi enviada ou cancelada."))
            return _("Mensagem agendada cancelada.")

        self.run_for_each(request, queryset, do=cancel)
