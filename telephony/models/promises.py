"""What the nightly check of the dialer's promises found."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telephony.models.attempts import CallAttempt
from telephony.states import Promise


class PromiseViolation(models.Model):
    """One broken promise about one attempt, request or event; found once, however many nights it lasts.

    `subject` names the row (`attempt:7`); the foreign key is filled when there is an attempt to open. `gone_at` empty =
    it was still so at the last check. `seen_at` empty = nobody has said that they looked after it.
    """

    promise = models.CharField(_("promessa"), max_length=24, choices=Promise)
    subject = models.CharField(_("onde"), max_length=40)
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    attempt = models.ForeignKey(
        CallAttempt, verbose_name=_("tentativa"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    call_request_id = models.BigIntegerField(_("pedido"), null=True)
    found_at = models.DateTimeField(_("encontrada em"), default=timezone.now)
    last_found_at = models.DateTimeField(_("vista pela última vez"), default=timezone.now)
    gone_at = models.DateTimeField(_("sumiu em"), null=True)
    seen_at = models.DateTimeField(_("tratada em"), null=True)
    seen_by = models.ForeignKey(
        "accounts.User", verbose_name=_("tratada por"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("promessa quebrada")
        verbose_name_plural = _("promessas quebradas")
        permissions: ClassVar = [("settle_promiseviolation", _("Pode dar por tratada uma promessa quebrada"))]
        ordering: ClassVar = ["-found_at", "-id"]
        constraints: ClassVar = [
            # Found again, it is the same one.
            models.UniqueConstraint(fields=["promise", "subject"], name="promise_violation_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.get_promise_display()} ({self.subject})"


class PromiseCheck(models.Model):
    """One run of the check: when, since when the ended calls were looked at, how long it took, how much it found."""

    at = models.DateTimeField(_("quando"), default=timezone.now)
    since = models.DateTimeField(_("desde"))
    seconds = models.FloatField(_("duração (s)"))
    found = models.PositiveIntegerField(_("encontradas"))

    class Meta:
        verbose_name = _("conferência das promessas")
        verbose_name_plural = _("conferências das promessas")
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%d/%m/%Y %H:%M}"
