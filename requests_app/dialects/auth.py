"""HTTP Basic with e-mail address and API key, and what the caller may do."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import Permission
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication

from callcenter.accounts.selectors import key_owner
from callcenter.accounts.services import note_key_use
from callcenter.lib.client_address import client_address
from callcenter.lib.limits import calls_from, calls_with, count, failed_logins

if TYPE_CHECKING:
    from rest_framework.request import Request

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

    Two queries (the key with its user, the rights), one for a superuser; at most one UPDATE a minute and key. The
    bounds are kept here, because DRF's throttles are asked only after the key was checked.
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
        key = key_owner(email, secret)
        if key is None:
            count(*failures, now=now)
            return None
        count(calls_with(key.prefix), now=now)
        note_key_use(key, now=now)
        return key.user, Caller(user=key.user, permissions=_rights(key.user))

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


def _rights(user: User) -> frozenset[str]:
    """The user's permissions on call requests; remembers the company scope on the user.

    One query for both, where `has_perm` and `company_scope` would take three.
    """
    if user.is_superuser:
        return frozenset({"view", "add", "change", "delete"})
    granted = (
        Permission.objects.filter(content_type__app_label="requests_app", content_type__model="callrequest")
        .filter(Q(user=user) | Q(group__user=user))
        .order_by()
        .values_list(Value("permission"), "codename")
    )
    bound = user.companies.through.objects.filter(user_id=user.pk).values_list(
        Value("company"), Cast("company_id", CharField())
    )
    rights = list(granted.union(bound))
    user.company_scope = frozenset(int(text) for kind, text in rights if kind == "company") or None
    return frozenset(text.removesuffix("_callrequest") for kind, text in rights if kind == "permission")
