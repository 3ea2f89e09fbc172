"""The admin of outgoing webhooks: where a company's programs are told of its requests; the secret is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from callcenter.lib.admin import CompanyScopedAdmin
from callcenter.lib.display import absolute, badge
from callcenter.lib.outbound import OutboundError, target_of
from requests_app.models import WebhookDelivery, WebhookEndpoint
from requests_app.models.outgoing import WebhookEvent, all_events
from requests_app.services.outgoing import add_endpoint, change_endpoint, enqueue_test, rotate_secret

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString


class WebhookEndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """One endpoint, its events as boxes to tick."""

    url = forms.URLField(
        label=gettext_lazy("Endereço"),
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy("Começa com https:// e é alcançável pela Internet."),
        widget=forms.URLInput(attrs={"class": "vURLField"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Eventos"),
        choices=[(value, label) for value, label in WebhookEvent.choices if value in all_events()],
        initial=all_events,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar[tuple[str, ...]] = ("company", "name", "url", "events", "include_contact", "is_enabled")

    def clean_url(self) -> str:
        """The address, if it can be posted to at all; where it leads is checked with every try."""
        url: str = self.cleaned_data["url"]
        try:
            target_of(url)
        except OutboundError as error:
            raise forms.ValidationError(
                _("Use https://servidor/caminho, sem usuário, espaços, barras invertidas ou #.")
            ) from error
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(CompanyScopedAdmin):
    """Outgoing webhooks."""

    form = WebhookEndpointForm
    list_display = ("name", "company", "url", "state", "include_contact")
    list_filter = ("company", "is_enabled", ("disabled_reason", admin.EmptyFieldListFilter))
    list_select_related = ("company",)
    search_fields = ("name", "url")
    ordering = ("company", "name")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    readonly_fields = ("state", "old_secret")
    actions = ("test_selected",)
    change_form_template = "admin/requests_app/webhookendpoint/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, and the button that changes the secret."""
        view = self.admin_site.admin_view(require_POST(self.rotate_view))
        name = "requests_app_webhookendpoint_rotate"
        return [path("<int:endpoint_id>/rotate/", view, name=name), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The endpoints; their secrets are decrypted only where they sign."""
        return super().get_queryset(request).select_related("company").defer(*WebhookEndpoint.SECRET_FIELDS)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What it is told and where; how it does, once it exists."""
        fields = ("company", "name", "url", "events", "include_contact")
        return fields if obj is None else ("state", *fields, "is_enabled", "old_secret")

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Whether the user may have a test sent."""
        return bool(request.user.has_perm("requests_app.change_webhookendpoint"))

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """Store what was changed; a new endpoint gets its secret, kept only until this very answer is written."""
        if change:
            change_endpoint(obj, changed=form.changed_data)
        else:
            request.issued_secret = add_endpoint(obj)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page that shows the new secret, once and uncached."""
        return self._secret_page(request, obj, request.issued_secret, title=_("Webhook criado"))  # type: ignore[attr-defined]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The endpoint's page; one that the system switched off says why."""
        endpoint = self.get_object(request, object_id)
        context = {"may_rotate": endpoint is not None and self.has_change_permission(request, endpoint)}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def rotate_view(self, request: HttpRequest, endpoint_id: int) -> HttpResponse:
        """Give the endpoint a new secret and show it, once."""
        endpoint = self.get_object(request, str(endpoint_id))
        if endpoint is None:
            raise Http404
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        secret = rotate_secret(endpoint.pk, now=timezone.now())
        self.log_change(request, endpoint, _("Segredo trocado."))
        return self._secret_page(request, endpoint, secret, title=_("Segredo trocado"), rotated=True)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, dict[str, int], set[str], list[str]]:
        """The endpoints and how many deliveries go with them: the log of one that is deleted tells nobody anything."""
        count = WebhookDelivery.objects.filter(endpoint__in=objs).count()
        counts = {
            str(WebhookEndpoint._meta.verbose_name_plural): len(objs),
            str(WebhookDelivery._meta.verbose_name_plural): count,
        }
        return [str(endpoint) for endpoint in objs], counts, set(), []

    @admin.action(description=gettext_lazy("Enviar teste"), permissions=["test"])
    def test_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Put a test event into the outbox; for one endpoint the log is shown, where its result appears."""
        sent: list[int] = []

        def send_test(endpoint: WebhookEndpoint) -> str:
            sent.append(enqueue_test(endpoint, now=timezone.now()).pk)
            return _("Teste na fila.")

        self.run_for_each(request, queryset, do=send_test)
        if len(sent) != 1:
            return None
        return HttpResponseRedirect(reverse("admin:requests_app_webhookdelivery_change", args=sent))

    @admin.display(description=gettext_lazy("situação"), ordering="is_enabled")
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        """Whether it is told of anything, and how that goes."""
        if endpoint.disabled_reason:
            return badge(
                _("Desligado pelo sistema: %(reason)s") % {"reason": endpoint.get_disabled_reason_display()}, tone="bad"
            )
        if not endpoint.is_enabled:
            return badge(_("Desligado"))
        if endpoint.failing_since:
            return badge(_("Falhando desde %(since)s") % {"since": absolute(endpoint.failing_since)}, tone="warn")
        return badge(_("Ligado"), tone="good")

    @admin.display(description=gettext_lazy("segredo"))
    def old_secret(self, endpoint: WebhookEndpoint) -> str:
        """What signs: never the secret itself."""
        until = endpoint.previous_secret_until
        if until is not None and until > timezone.now():
            return _("Definido; o anterior também assina até %(until)s.") % {"until": absolute(until)}
        return _("Definido; não é mostrado de novo.")

    def _secret_page(
        self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str, *, title: str, rotated: bool = False
    ) -> HttpResponse:
        template = "admin/requests_app/webhookendpoint/secret.html"
        return self.secret_page(request, template, title=title, endpoint=endpoint, secret=secret, rotated=rotated)
