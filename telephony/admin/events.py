"""The admin of the carrier's and the PABX's news: as they came, and trying again to apply what fitted no call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin
from callcenter.lib.dashboard import Figure, Panel
from callcenter.lib.display import absolute, badge
from callcenter.lib.errors import Conflict
from callcenter.lib.phones import display
from telephony.models import DialerLine, ProviderEvent
from telephony.providers.digitro.channel_events import REASONS as PABX_REASONS
from telephony.providers.directcall.callback import REASONS
from telephony.services.events import apply_event_again
from telephony.states import Meaning

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

State = ProviderEvent.State
_TONES: Final = {
    State.RECEIVED: "new",
    State.APPLIED: "good",
    State.UNMATCHED: "warn",
    State.UNREADABLE: "bad",
    State.FAILED: "bad",
    State.IGNORED: "",
}
# The secrets of the related rows are not decrypted for a list.
_DEFERRED: Final = (
    "account__client_secret",
    "account__access_token",
    *(f"line__{name}" for name in DialerLine.SECRET_FIELDS),
)


class TellerFilter(admin.SimpleListFilter):
    """The carrier's news, or the PABX's."""

    title = gettext_lazy("quem contou")
    parameter_name = "teller"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The two of them."""
        return [("carrier", gettext_lazy("Operadora")), ("pabx", gettext_lazy("PABX"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen one."""
        return queryset if self.value() is None else queryset.filter(line__isnull=self.value() != "pabx")


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    """The carrier's news."""

    menu_rank = 3
    list_display = (
        "arrived",
        "state_badge",
        "word",
        "meaning",
        "phone",
        "call_id",
        "attempt_link",
        "teller",
        "company",
        "what_is_wrong",
    )
    list_filter = ("state", "meaning", TellerFilter, "company", "received_at")
    list_select_related = ("company", "attempt", "account", "line")
    search_fields = ("=carrier_call_id", "=provider_call_id", "=word")
    search_help_text = gettext_lazy("Número, callerid, ID_CHAMADA ou palavra de status")
    ordering = ("-received_at", "-id")
    actions = ("apply_selected",)
    change_list_template = "admin/telephony/providerevent/change_list.html"
    fields = (
        ("state_badge", "what_is_wrong", "tries"),
        ("received_at", "applied_at"),
        "attempt_link",
        ("word", "meaning"),
        ("phone", "call_id", "started_at"),
        ("teller", "company"),
        "content_type",
        "body",
    )
    readonly_fields = ("state_badge", "what_is_wrong", "attempt_link", "phone", "call_id", "teller", "body")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The events; their bodies are read one at a time."""
        rows = super().get_queryset(request).select_related("account", "line", "company", "attempt")
        return rows.defer("raw", *_DEFERRED)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The events with that id or word, or about a number that holds these digits."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        digits = "".join(c for c in search_term if c.isdigit()).removeprefix("0")
        if len(digits) >= 4 and not any(c.isalpha() for c in search_term):
            found |= queryset.filter(phone_e164__contains=digits)
        return found, duplicates

    def has_match_permission(self, request: HttpRequest) -> bool:
        """Whether the user may have events applied again."""
        return bool(request.user.has_perm("telephony.match_providerevent"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with a quick link to what fitted no call."""
        context = {"unmatched_url": f"?state__exact={State.UNMATCHED}", **(extra_context or {})}
        return super().changelist_view(request, context)

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """The events that fitted no call. One query."""
        url = reverse("admin:telephony_providerevent_changelist")
        waiting = self.get_queryset(request).filter(state=State.UNMATCHED).count()
        figure = Figure(
            _("Eventos sem chamada"), waiting, f"{url}?state__exact={State.UNMATCHED}", "warn" if waiting else ""
        )
        return [Panel(_("Telefonia"), 3, [figure])]

    @admin.action(description=gettext_lazy("Tentar aplicar de novo"), permissions=["match"])
    def apply_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Look again for the calls that these events are about."""

        def apply(event: ProviderEvent) -> str:
            if event.state == State.APPLIED and event.meaning != Meaning.UNKNOWN:
                raise Conflict(_("já estava aplicado."))
            if not apply_event_again(event.pk, now=timezone.now()):
                raise Conflict(_("ainda não corresponde a nenhuma chamada."))
            return _("Aplicado de novo.")

        self.run_for_each(request, queryset, do=apply)

    @admin.display(description=gettext_lazy("recebido em"), ordering="received_at")
    def arrived(self, event: ProviderEvent) -> str:
        """When it came in, to the second."""
        return f"{absolute(event.received_at)}:{timezone.localtime(event.received_at):%S}"

    @admin.display(description=gettext_lazy("situação"), ordering="state")
    def state_badge(self, event: ProviderEvent) -> SafeString:
        """How far it has come, in its colour."""
        return badge(event.get_state_display(), tone=_TONES[State(event.state)])

    @admin.display(description=gettext_lazy("problema"), ordering="problem", empty_value="—")
    def what_is_wrong(self, event: ProviderEvent) -> str:
        """Why the body could not be used, in words; the code itself where there are none for it."""
        reasons = REASONS if event.line_id is None else PABX_REASONS
        return str(reasons.get(event.problem, event.problem))

    @admin.display(description=gettext_lazy("id da chamada"), empty_value="—")
    def call_id(self, event: ProviderEvent) -> str:
        """The carrier's id of the call, or the PABX's."""
        return event.carrier_call_id or event.provider_call_id

    @admin.display(description=gettext_lazy("quem contou"), ordering="line")
    def teller(self, event: ProviderEvent) -> str:
        """The account at the carrier, or the line whose PABX it was."""
        return str(event.line or event.account)

    @admin.display(description=gettext_lazy("destino"), ordering="phone_e164", empty_value="—")
    def phone(self, event: ProviderEvent) -> str:
        """The number as Brazilians write it."""
        return display(event.phone_e164)

    @admin.display(description=gettext_lazy("chamada"), ordering="attempt")
    def attempt_link(self, event: ProviderEvent) -> SafeString | str:
        """The attempt that it was applied to."""
        if event.attempt is None:
            return "—"
        url = reverse("admin:telephony_callattempt_change", args=[event.attempt.pk])
        return format_html('<a href="{}">{}</a>', url, event.attempt)

    @admin.display(description=gettext_lazy("corpo, como chegou"))
    def body(self, event: ProviderEvent) -> SafeString:
        """The delivery, byte for byte as text."""
        return format_html('<pre class="raw">{}</pre>', event.raw_text)
