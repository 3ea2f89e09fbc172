"""HTTP Basic with e-mail address and API key, and what the caller may do."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication

from callcenter.accounts.selectors import key_rights
from callcenter.accounts.services import note_key_use
from callcenter.lib.client_address import client_address
from callcenter.lib.limits import calls_from, calls_with, count, failed_logins

if TYPE_CHECKING:
    from rest_framework.request import Request

    from callcenter.accounts.data import KeyRights
    from callcenter.accounts.models import User

REALM: Final = "E-mail address and API key"


@dataclass(frozen=True)
class Caller:
    """Whose key it is, and that person's permissions on call requests (`view`, `add`, `change`, `delete`)."""

    user: User
    permissions: frozenset[str]

    @property
    def company_scope(self) -> frozenset[int] | None:
        """Ids of the companies whose requests the caller may touch; None = all."""
        return self.user.company_scope


class ApiKeyAuthentication(BaseAuthentication):
    """Knows the caller by `Authorization: Basic base64(e-mail:key)`; `request.auth` is a `Caller`.

    One query; at most one UPDATE a minute and key. The bounds are kept here, because DRF's throttles are asked only
    after the key was checked.
    """

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """The user and the caller; None when the credentials are missing or wrong, which a dialect answers with 401.

        Errors: `RateLimited`, of a wrong key before it is looked at.
        """
        now, address = timezone.now(), client_address(request)
        email, secret = _credentials(request.META.get("HTTP_AUTHORIZATION", ""))
        if not secret:
            count(calls_from(address), now=now)
            return None
        failures = failed_logins(address, email)
        count(calls_from(address), now=now, room_in=failures)
        found = key_rights(email, secret, app_label="requests_app")
        if found is None:
            count(*failures, now=now)
            return None
        count(calls_with(found.key.prefix), now=now)
        note_key_use(found.key, now=now)
        return found.key.user, Caller(user=found.key.user, permissions=_permissions(found))

    def authenticate_header(self, request: Request) -> str:
        """The challenge that goes with a 401."""
        return f'Basic realm="{REALM}"'


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no types
    """How OpenAPI names this authentication."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """HTTP Basic."""
        return {"type": "http", "scheme": "basic", "description": "E-mail address as user, API key as password."}


def _credentials(header: str) -> tuple[str, str]:
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    email, _colon, secret = text.partition(":")
    return email, secret.strip()


def _permissions(found: KeyRights) -> frozenset[str]:
    """What the key's user may do with call requests."""
    if found.key.user.is_superuser:
        return frozenset({"view", "add", "change", "delete"})
    return frozenset(name.removesuffix("_callrequest") for name in found.codenames if name.endswith("_callrequest"))
