"""The admin of contacts with their addresses and their timeline, and of the customers they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from callcenter.lib.admin import CompanyScopedAdmin, may_open
from callcenter.lib.errors import InvalidInput
from callcenter.lib.phones import display
from helpdesk import timeline
from helpdesk.admin.export import history_response
from helpdesk.models import Atendimento, Contact, ContactAddress, Customer
from helpdesk.services.contacts import normalised_address
from helpdesk.states import Platform

if TYPE_CHECKING:
    import uuid

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern


class AddressForm(forms.ModelForm):  # type: ignore[type-arg]
    """One way to reach a contact, kept as it is compared."""

    class Meta:
        model = ContactAddress
        fields: ClassVar[tuple[str, ...]] = ("platform", "address")

    def clean(self) -> dict[str, Any]:
        """The values, the address normalised and not yet somebody else's."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        platform, address = values.get("platform"), values.get("address")
        if platform is None or not address:
            return values
        try:
            values["address"] = normalised_address(platform, address)
        except InvalidInput as error:
            self.add_error("address", error.message)
            return values
        company_id = self.instance.contact.company_id or self.instance.company_id
        taken = ContactAddress.objects.filter(company_id=company_id, platform=platform, address=values["address"])
        if company_id and taken.exclude(pk=self.instance.pk).exists():
            self.add_error("address", _("Este endereço já é de outro contato."))
        return values


class AddressInline(admin.TabularInline):  # type: ignore[type-arg]
    """The ways to reach a contact."""

    model = ContactAddress
    form = AddressForm
    extra = 0

    def _may(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("helpdesk.change_contact"))

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = _may


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    """One contact; numbers are kept as the dialer compares them."""

    class Meta:
        model = Contact
        fields: ClassVar[tuple[str, ...]] = ()

    def clean_phone_e164(self) -> str:
        """The number, normalised."""
        return self._number("phone_e164")

    def clean_whatsapp_e164(self) -> str:
        """The number, normalised."""
        return self._number("whatsapp_e164")

    def clean_email(self) -> str:
        """The address in lower case."""
        return str(self.cleaned_data.get("email") or "").lower()

    def _number(self, name: str) -> str:
        typed = self.cleaned_data.get(name) or ""
        if not typed.strip():
            return ""
        try:
            return normalised_address(Platform.PHONE, typed)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error


@admin.register(Contact)
class ContactAdmin(CompanyScopedAdmin):
    """Contacts."""

    menu_rank = 3
    form = ContactForm
    list_display = ("title_text", "company", "phone", "whatsapp", "email", "customer", "atendimento_count")
    list_display_links = ("title_text",)
    list_filter = ("company", "state", "created_at")
    list_select_related = ("company", "customer")
    search_fields = ("name", "email", "phone_e164", "whatsapp_e164", "organisation")
    ordering = ("name", "created_at")
    autocomplete_fields = ("customer",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    inlines = (AddressInline,)
    change_form_template = "admin/helpdesk/contact/change_form.html"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("company", "name", ("phone_e164", "whatsapp_e164"), "email")}),
        (gettext_lazy("Mais"), {"fields": ("organisation", "customer", ("city", "state"))}),
    )

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, and the history of one contact."""
        view = self.admin_site.admin_view(require_safe(self.export_view))
        return [path("<uuid:key>/export/", view, name="helpdesk_contact_export"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The contact, and beside it everything that happened with them."""
        contact = self.get_object(request, object_id)
        found = [] if contact is None else timeline.entries(contact)
        sees_private = request.user.has_perm("helpdesk.assign_atendimento")
        context = {
            "contact_entries": [
                {"entry": one, "url": one.url if one.url and may_open(request, one.url) else ""}
                for one in found
                if sees_private or not one.is_private
            ],
            "can_start": request.user.has_perm("helpdesk.add_atendimento"),
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def export_view(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """All conversations of the contact that the user may see, as the contact may have them."""
        contact = self.get_object(request, str(key))
        if contact is None:
            raise Http404
        conversations = self.admin_site.get_model_admin(Atendimento)
        if not self.has_view_permission(request, contact) or not conversations.has_view_permission(request):
            raise PermissionDenied
        rows = conversations.get_queryset(request).filter(contact=contact)
        rows = rows.select_related("company", "contact", "channel").order_by("number")
        self.log_change(request, contact, _("Histórico exportado."))
        return history_response(request, list(rows), title=_("Histórico de %s") % contact)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write the addresses, which are the contact's company's."""
        for address in formset.save(commit=False):
            address.company_id = form.instance.company_id
            address.save()
        for address in formset.deleted_objects:
            address.delete()
        formset.save_m2m()

    @admin.display(description=gettext_lazy("telefone"), ordering="phone_e164")
    def phone(self, contact: Contact) -> str:
        """The number as people write it."""
        return display(contact.phone_e164)

    @admin.display(description=gettext_lazy("WhatsApp"), ordering="whatsapp_e164")
    def whatsapp(self, contact: Contact) -> str:
        """The number as people write it."""
        return display(contact.whatsapp_e164)

    @admin.display(description=gettext_lazy("nome"), ordering="name")
    def title_text(self, contact: Contact) -> str:
        """The name, or what else there is to call them."""
        return contact.title


@admin.register(Customer)
class CustomerAdmin(CompanyScopedAdmin):
    """Customers, to whom contacts may belong."""

    list_display = ("name", "company")
    list_filter = ("company",)
    list_select_related = ("company",)
    search_fields = ("name",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The customers."""
        return super().get_queryset(request).select_related("company")
