"""The admin of what we ask the carrier, and of what its statement and our attempts differ in."""

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
from callcenter.lib.display import badge
from callcenter.lib.errors import Conflict
from requests_app.states import Outcome
from telephony.models import CarrierDifference, CarrierInquiry, DirectcallAccount, Reconciliation, RecordingPlay
from telephony.services.reconciling import mark_seen
from telephony.states import AttemptState, InquiryState

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

Kind = CarrierDifference.Kind
_KIND_TONES: Final = {Kind.DOUBLED: "bad", Kind.UNKNOWN: "warn", Kind.MISSING: "warn", Kind.OUTCOME: "progress"}
_INQUIRY_TONES: Final = {
    InquiryState.WAITING: "progress",
    InquiryState.SETTLED: "good",
    InquiryState.AMBIGUOUS: "warn",
    InquiryState.NOT_FOUND: "warn",
}
_WORDS: Final = {**dict(AttemptState.choices), **dict(Outcome.choices)}
# The secrets of the related rows are not decrypted for a list.
_ACCOUNT_SECRETS: Final = tuple(f"account__{name}" for name in DirectcallAccount.SECRET_FIELDS)


@admin.register(CarrierDifference)
class CarrierDifferenceAdmin(ReadOnlyAdmin):
    """What the carrier's statement and our attempts differ in."""

    empty_text = gettext_lazy("Nenhuma diferença: o que a operadora conta é o que está aqui.")
    list_display = (
        "kind_badge",
        "called_at",
        "phone",
        "attempt_link",
        "carrier_says",
        "our_word",
        "company",
        "is_seen",
    )
    list_filter = ("kind", ("seen_at", admin.EmptyFieldListFilter), "company", "found_at")
    list_select_related = ("company", "attempt")
    search_fields = ("=call_id", "=phone_e164")
    search_help_text = gettext_lazy("callerid ou número em E.164")
    actions = ("mark_selected",)
    fields = (
        ("kind_badge", "company"),
        ("called_at", "phone"),
        ("attempt_link", "call_id"),
        ("carrier_says", "our_word"),
        ("found_at", "seen_at", "seen_by"),
    )
    readonly_fields = ("kind_badge", "phone", "attempt_link", "our_word")

    def has_see_permission(self, request: HttpRequest) -> bool:
        """Whether the user may say that they have looked."""
        return bool(request.user.has_perm("telephony.see_carrierdifference"))

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """The differences that nobody has looked at. One query."""
        url = reverse("admin:telephony_carrierdifference_changelist")
        unseen = self.get_queryset(request).filter(seen_at=None).count()
        figure = Figure(_("Diferenças com a operadora"), unseen, f"{url}?seen_at__isempty=1", "warn" if unseen else "")
        return [Panel(_("Telefonia"), 3, [figure])]

    @admin.action(description=gettext_lazy("Marcar como vista"), permissions=["see"])
    def mark_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say that a person has looked at them."""

        def mark(difference: CarrierDifference) -> str:
            try:
                mark_seen(difference, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
            except Conflict as refusal:
                raise Conflict(_("já foi vista.")) from refusal
            return _("Vista.")

        self.run_for_each(request, queryset, do=mark)

    @admin.display(description=gettext_lazy("diferença"), ordering="kind")
    def kind_badge(self, difference: CarrierDifference) -> SafeString:
        """What differs."""
        kind = Kind(difference.kind)
        return badge(str(kind.label), tone=_KIND_TONES[kind])

    @admin.display(description=gettext_lazy("número"), ordering="phone_e164")
    def phone(self, difference: CarrierDifference) -> str:
        """The number as Brazilians write it."""
        return difference.phone_display or "—"

    @admin.display(description=gettext_lazy("tentativa"))
    def attempt_link(self, difference: CarrierDifference) -> SafeString | str:
        """Our attempt."""
        if difference.attempt is None:
            return "—"
        url = reverse("admin:telephony_callattempt_change", args=[difference.attempt.pk])
        return format_html('<a href="{}">{}</a>', url, difference.attempt)

    @admin.display(description=gettext_lazy("nós dizemos"))
    def our_word(self, difference: CarrierDifference) -> str:
        """What we take it for."""
        return str(_WORDS.get(difference.we_say, difference.we_say) or "—")

    @admin.display(description=gettext_lazy("vista"), boolean=True, ordering="seen_at")
    def is_seen(self, difference: CarrierDifference) -> bool:
        """Whether somebody has looked at it."""
        return difference.seen_at is not None


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    """The days that were compared with the carrier's statement."""

    company_path = "account__company"
    empty_text = gettext_lazy("Nenhum dia comparado ainda: o extrato da operadora é lido quando o dia acaba.")
    list_display = ("day", "account", "calls", "attempts", "finished_at", "problem")
    list_filter = ("account",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The days; no secret is read."""
        return super().get_queryset(request).select_related("account").defer(*_ACCOUNT_SECRETS)


@admin.register(CarrierInquiry)
class CarrierInquiryAdmin(ReadOnlyAdmin):
    """What the carrier is asked about."""

    company_path = "attempt__company"
    empty_text = gettext_lazy("Nada a perguntar: toda chamada teve notícia.")
    list_display = ("attempt_link", "state_badge", "asked", "last_at", "next_question", "candidates", "problem")
    list_filter = ("state", "account", "problem")
    ordering = ("-id",)
    fields = (
        ("attempt_link", "account"),
        ("state_badge", "candidates"),
        ("asked", "last_at", "next_question"),
        "problem",
    )
    readonly_fields = ("attempt_link", "state_badge", "next_question")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The inquiries; no secret is read."""
        return super().get_queryset(request).select_related("attempt", "account").defer(*_ACCOUNT_SECRETS)

    @admin.display(description=gettext_lazy("tentativa"), ordering="attempt")
    def attempt_link(self, inquiry: CarrierInquiry) -> SafeString:
        """The attempt that is asked about."""
        url = reverse("admin:telephony_callattempt_change", args=[inquiry.attempt_id])
        return format_html('<a href="{}">{}</a>', url, inquiry.attempt)

    @admin.display(description=gettext_lazy("situação"), ordering="state")
    def state_badge(self, inquiry: CarrierInquiry) -> SafeString:
        """How far it is."""
        state = InquiryState(inquiry.state)
        return badge(str(state.label), tone=_INQUIRY_TONES[state])

    @admin.display(description=gettext_lazy("próxima pergunta"), ordering="next_at")
    def next_question(self, inquiry: CarrierInquiry) -> Any:
        """When it is asked again, if it is."""
        return inquiry.next_at if inquiry.state == InquiryState.WAITING else None


@admin.register(RecordingPlay)
class RecordingPlayAdmin(ReadOnlyAdmin):
    """Who listened to which recording."""

    empty_text = gettext_lazy("Ninguém ouviu uma gravação ainda.")
    list_display = ("at", "user", "attempt_link", "outcome", "company")
    list_filter = ("user", "company", "at")
    list_select_related = ("user", "company", "attempt")
    fields = (("at", "user"), "attempt_link", "outcome", "company")
    readonly_fields = ("attempt_link", "outcome")

    @admin.display(description=gettext_lazy("tentativa"))
    def attempt_link(self, play: RecordingPlay) -> SafeString:
        """The attempt whose recording it is."""
        url = reverse("admin:telephony_callattempt_change", args=[play.attempt_id])
        return format_html('<a href="{}">{}</a>', url, play.attempt)

    @admin.display(description=gettext_lazy("resultado"), ordering="result")
    def outcome(self, play: RecordingPlay) -> str:
        """Whether it was heard."""
        words = {"played": _("Ouvida"), "not_found": _("Sem gravação"), "conflict": _("Não pôde ser buscada")}
        return words.get(play.result, play.result)
