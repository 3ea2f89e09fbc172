"""The admin's login form, which stops looking at passwords when too many were wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import ngettext

from callcenter.lib.client_address import client_address
from callcenter.lib.limits import RateLimited, count, failed_logins

if TYPE_CHECKING:
    from datetime import datetime


class BoundedLoginForm(AdminAuthenticationForm):
    """`refusal` is set when the log-in was refused without a look at the password."""

    refusal: RateLimited | None = None

    def clean(self) -> dict[str, Any]:
        """The credentials of the user who may log in.

        Errors: `ValidationError`.
        """
        assert self.request is not None, "LoginView gives it"
        now = timezone.now()
        failures = failed_logins(client_address(self.request), self.cleaned_data.get("username") or "")
        try:
            count(room_in=failures, now=now)
            return self._checked(failures, now)
        except RateLimited as refusal:
            self.refusal = refusal
            minutes = -(-refusal.retry_after_seconds // 60)
            raise ValidationError(
                ngettext(
                    "Muitas tentativas de entrar falharam. Espere %(minutes)d minuto e tente de novo.",
                    "Muitas tentativas de entrar falharam. Espere %(minutes)d minutos e tente de novo.",
                    minutes,
                ),
                code="rate_limited",
                params={"minutes": minutes},
            ) from refusal

    def _checked(self, failures: Any, now: datetime) -> dict[str, Any]:
        try:
            return super().clean()
        except ValidationError:
            count(*failures, now=now)
            raise
