"""The admin of the nightly check: promises that were not kept, with what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import ReadOnlyAdmin, company_scope
from callcenter.lib.dashboard import Figure, Panel
from telephony.models import PromiseCheck, PromiseViolation
from telephony.services.promises import settle_violation
from telephony.states import Promise

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

WHAT_TO_DO: Final = {
    Promise.SENT_ONCE: gettext_lazy(
        "Desligue a linha. A pessoa pode ter sido chamada duas vezes: confira no registro do PABX e avise quem cuida do"
        " sistema."
    ),
    Promise.ONE_PER_NUMBER: gettext_lazy(
        "Confira as duas chamadas no PABX e encerre a que não existe; avise quem cuida do sistema."
    ),
    Promise.DOUBT_STAYS: gettext_lazy(
        "Veja no histórico como a dúvida acabou. Se ninguém decidiu, confira no PABX se o telefone tocou duas vezes."
    ),
    Promise.NEWS_COUNT: gettext_lazy(
        "Abra a tentativa e compare o resultado com os eventos; corrija o status do pedido se for preciso."
    ),
    Promise.NEWS_APPLIED: gettext_lazy(
        "O evento espera há minutos: veja se o worker está vivo e use “Tentar aplicar de novo” na lista de eventos."
    ),
    Promise.WAY_ON: gettext_lazy(
        "O pedido ficou sem próximo passo: use “Ligar agora”, ou dê a ele o status que já alcançou."
    ),
    Promise.LEDGER: gettext_lazy("Falta um registro no histórico da tentativa: avise quem cuida do sistema."),
    Promise.NOTHING_HANGS: gettext_lazy(
        "A varredura não está rodando, ou não conseguiu: veja se worker e beat estão vivos e o que o log diz."
    ),
}


@admin.register(PromiseViolation)
class PromiseViolationAdmin(ReadOnlyAdmin):
    """Broken promises: found by the system, looked after by people."""

    empty_text = gettext_lazy(
        "Nenhuma promessa quebrada. São conferidas toda noite; veja “conferências das promessas”."
    )
    list_display = ("promise", "where", "company", "found_at", "is_gone", "seen_at")
    list_filter = ("promise", ("gone_at", admin.EmptyFieldListFilter), ("seen_at", admin.EmptyFieldListFilter))
    list_select_related = ("company",)
    fields = (
        *("promise", "what_to_do", "where", "company", "found_at", "last_found_at", "gone_at", "seen_at", "seen_by"),
    )
    actions = ("settle_selected",)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whether the user may say that a violation is looked after."""
        return bool(request.user.has_perm("telephony.settle_promiseviolation"))

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """A figure, when something waits for a person."""
        waiting = self.get_queryset(request).filter(seen_at=None).count()
        if not waiting:
            return []
        url = f"{reverse('admin:telephony_promiseviolation_changelist')}?seen_at__isempty=1"
        return [Panel(_("Promessas quebradas"), 1, figures=[Figure(_("a tratar"), waiting, url, "bad")], url=url)]

    @admin.action(description=gettext_lazy("Dar por tratada"), permissions=["settle"])
    def settle_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say that the selected ones are looked after."""
        now = timezone.now()

        def settle(violation: PromiseViolation) -> str:
            settle_violation(violation.pk, actor=request.user, scope=company_scope(request), now=now)  # type: ignore[arg-type]
            return _("Dada por tratada.")

        self.run_for_each(request, queryset, do=settle)

    @admin.display(description=gettext_lazy("o que fazer"))
    def what_to_do(self, violation: PromiseViolation) -> str:
        """What a person does about it."""
        return str(WHAT_TO_DO[Promise(violation.promise)])

    @admin.display(description=gettext_lazy("onde"))
    def where(self, violation: PromiseViolation) -> SafeString | str:
        """A link to the row that it is about."""
        kind, _colon, number = violation.subject.partition(":")
        page = {"attempt": "telephony_callattempt", "request": "requests_app_callrequest"}.get(
            kind, "telephony_providerevent"
        )
        names = {"attempt": _("tentativa"), "request": _("pedido"), "event": _("evento")}
        url = reverse(f"admin:{page}_change", args=[number])
        return format_html('<a href="{}">{} {}</a>', url, names.get(kind, kind), number)

    @admin.display(description=gettext_lazy("sumiu"), boolean=True)
    def is_gone(self, violation: PromiseViolation) -> bool:
        """Whether the last check no longer found it."""
        return violation.gone_at is not None


@admin.register(PromiseCheck)
class PromiseCheckAdmin(ReadOnlyAdmin):
    """The runs of the check, for whoever wants to know that it runs."""

    empty_text = gettext_lazy("A primeira conferência é na próxima noite.")
    list_display = ("at", "since", "seconds", "found")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All of them: a run is about every company, and tells of none."""
        return PromiseCheck.objects.all()
