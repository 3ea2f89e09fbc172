"""Venddor's way to a key: an e-mail address and a password are answered with one that expires.

Source: Venddor, "Authentication" (`POST /api/auth`: email and password; status, data{api_key, expires_at, user_id};
200, 400, 401, 429).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from callcenter.accounts.services import issue_login_key, verify_password
from callcenter.lib.client_address import client_address
from callcenter.lib.limits import calls_from, count, failed_logins
from requests_app.dialects.http import Refused, json_response
from requests_app.dialects.venddor import openapi, wire
from requests_app.dialects.venddor.serializers import VenddorLoginInput
from requests_app.dialects.venddor.views import VenddorView

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse
    from rest_framework.request import Request

    from callcenter.accounts.models import User

_KEY_NAME: Final = "Venddor /auth"
# What a key is for; who may do none of it needs none.
_PERMISSIONS: Final = tuple(f"requests_app.{action}_callrequest" for action in ("view", "add", "change", "delete"))


class AuthView(VenddorView):
    """`/auth`; the one place below the API that wants no key."""

    http_method_names = ["post", "options"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing; the caller is not known here, only counted.

        Errors: `RateLimited`.
        """
        count(calls_from(client_address(request)), now=timezone.now())

    @openapi.AUTH
    def post(self, request: Request) -> HttpResponse:
        """A key that expires, for whoever knows the password and may use the API."""
        now = timezone.now()
        body = self.fields_sent(request, VenddorLoginInput)
        user = _verified(client_address(request), body["email"], body["password"], now=now)
        if not any(map(user.has_perm, _PERMISSIONS)):
            raise Refused(403)
        issued = issue_login_key(user, name=_KEY_NAME, now=now)
        data = {
            "api_key": issued.secret,
            "expires_at": wire.instant(issued.key.expires_at),
            "user_id": user.pk,
        }
        return json_response({"status": "success", "data": data})


def _verified(address: str, email: str, password: str, *, now: datetime) -> User:
    """The user of these credentials.

    Errors: `RateLimited` before the password is looked at, `Refused` 401 whatever else is wrong.
    """
    failures = failed_logins(address, email)
    count(room_in=failures, now=now)
    user = verify_password(email, password)
    if user is None:
        count(*failures, now=now)
        raise Refused(401)
    return user
