"""The admin of channels, whose secret only goes in, and of the numbers that an installation uses in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from callcenter.lib.admin import CompanyScopedAdmin, TitledAdmin
from callcenter.lib.display import badge
from callcenter.lib.secret_forms import ACCESS_OVERRIDES
from helpdesk.admin.channel_form import FIELDS_OF, ChannelForm
from helpdesk.admin.channel_pages import preview_page, trial_page
from helpdesk.models import Channel, WireCode
from helpdesk.states import AUTOMATIONS, Adapter

if TYPE_CHECKING:
    import uuid

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern
    from django.utils.safestring import SafeString


@admin.register(Channel)
class ChannelAdmin(CompanyScopedAdmin):
    """Channels."""

    form = ChannelForm
    formfield_overrides = ACCESS_OVERRIDES
    list_display = ("title", "company", "platform", "adapter", "team", "automation", "state")
    list_filter = ("company", "platform", "adapter", "is_active")
    list_select_related = ("company", "team", "automation")
    search_fields = ("title", "reference_code")
    ordering = ("company", "title")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company", "platform")
    readonly_fields = ("public_code",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("company", "platform", "title", "reference_code", "is_active")}),
        (gettext_lazy("Quem atende"), {"fields": ("team", "automation", "ia_replies")}),
        (gettext_lazy("Saída"), {"fields": ("adapter", "secret", "public_code")}),
    )

    change_form_template = "admin/helpdesk/channel/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, the test and the preview."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:key>/teste/", view(self.trial_view), name="helpdesk_channel_trial"),
            path("<uuid:key>/previa/", view(require_safe(self.preview_view)), name="helpdesk_channel_preview"),
            *super().get_urls(),
        ]

    def trial_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """The test, for who may change the channel: it makes the channel's server do something."""
        channel = self._seen(request, key)
        if not self.has_change_permission(request, channel):
            raise PermissionDenied
        return trial_page(request, self, channel)

    def preview_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
        """The widget on a page, for who may see the channel."""
        channel = self._seen(request, key)
        if not self.has_view_permission(request, channel):
            raise PermissionDenied
        if channel.adapter != Adapter.SITE_CHAT:
            raise Http404
        return preview_page(request, channel)

    def _seen(self, request: HttpRequest, key: uuid.UUID) -> Channel:
        channel = self.get_queryset(request).select_related("company").filter(pk=key).first()
        if channel is None:
            raise Http404
        found: Channel = channel
        return found

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's parts; what the adapter needs, for who may change it."""
        parts = list(super().get_fieldsets(request, obj))
        may = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        for adapter, names in FIELDS_OF.items() if may else ():
            if obj is None:
                parts.append((Adapter(adapter).label, {"fields": names, "classes": ("collapse",)}))
            elif obj.adapter == adapter:
                parts.append((Adapter(adapter).label, {"fields": names}))
        return parts

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        """Write what was changed, and the settings, which are no field of the form."""
        super().save_model(request, obj, form, change)
        if change:
            obj.save(update_fields=["settings"])

    @admin.display(description=gettext_lazy("código público"))
    def public_code(self, channel: Channel) -> str:
        """What the widget's script tag names (data-canal); it is no secret."""
        return str(channel.hash)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The channels; their secrets are decrypted only where they sign."""
        return super().get_queryset(request).defer(*Channel.SECRET_FIELDS)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices; only bots and IAs greet."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "automation" and field is not None and field.queryset is not None:
            field.queryset = field.queryset.filter(kind__in=AUTOMATIONS)
        return field

    @admin.display(description=gettext_lazy("situação"), ordering="is_active")
    def state(self, channel: Channel) -> SafeString:
        """Whether it is in use, and whether anything leaves through it."""
        if not channel.is_active:
            return badge(_("Desligado"))
        return badge(_("Ligado"), tone="progress" if channel.adapter == Adapter.NONE else "good")


@admin.register(WireCode)
class WireCodeAdmin(TitledAdmin):
    """Numbers on the wire, for the whole installation."""

    list_display = ("kind", "value", "code", "title")
    list_filter = ("kind",)
    ordering = ("kind", "value")
