"""What every CS-Cart entity does first, and the entities that are no call requests: the version, and all the others."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils.translation import gettext as _

from callcenter.accounts.models import Company
from requests_app.dialects.cscart import wire
from requests_app.dialects.cscart.requests import (
    FORMS,
    body_of,
    check_accept,
    check_content_type,
    media_type_of,
)
from requests_app.dialects.cscart.serializers import CsCartCallRequestInput
from requests_app.dialects.fields import checked
from requests_app.dialects.http import DialectView, Refused, json_response
from requests_app.states import Source

if TYPE_CHECKING:
    from django.http import HttpResponse
    from rest_framework.request import Request

# The request variable by which CS-Cart lets a POST be another method.
OVERRIDE: Final = "_METHOD"


class CsCartView(DialectView):
    """What every CS-Cart entity does first, in CS-Cart's order: 401, OPTIONS, 415, 406, 400.

    `store_id`: the store whose own list or item the URL names (`/stores/1/call_requests`); None = as the key is bound.
    """

    source = Source.CSCART
    wire_names = wire.WIRE_NAMES
    # The documented answer for whatever can't be deleted.
    conflict_status: ClassVar[int] = 400
    ascii_only: ClassVar[bool] = True
    store_id: int | None = None
    payload: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing; the caller is known and the body read then.

        Errors: `Refused`.
        """
        super().initial(request, *args, **kwargs)
        _override_method(request, request.query_params.get(OVERRIDE))
        if request.method in {"PUT", "POST"}:
            check_content_type(request)
            self.payload = body_of(request)
            if media_type_of(request) in FORMS:
                _override_method(request, self.payload.get(OVERRIDE))
        elif request.method in {"GET", "HEAD"}:
            check_accept(request.META.get("HTTP_ACCEPT", ""))
        if self.store_id is not None and request.method != "OPTIONS":
            self._enter_store(self.store_id)

    def fields_sent(self) -> dict[str, Any]:
        """The checked fields of the body, under this dialect's names.

        Errors: `Refused` 405 for an empty body, 400 for one that is no object or has a field at fault.
        """
        if wire.is_empty_to_php(self.payload):
            raise Refused(405, _("Faltam os parâmetros no corpo."))
        if not isinstance(self.payload, dict):
            raise Refused(400, _("phone: o corpo deve ser um objeto com phone ou email."))
        body = checked(CsCartCallRequestInput, self.payload)
        if body.get("status", "") is None:
            del body["status"]
        return body

    def _enter_store(self, store_id: int) -> None:
        """Make the caller one of that store only; a store that the caller does not see is a missing one."""
        scope = self.caller.company_scope
        is_known = Company.objects.filter(pk=store_id).exists() if scope is None else store_id in scope
        if not is_known:
            raise Refused(404)
        user = copy.copy(self.caller.user)
        user.company_scope = frozenset({store_id})
        self.caller = replace(self.caller, user=user)


def _override_method(request: Request, name: Any) -> None:
    """Make a POST the method that its request variable names."""
    if request.method == "POST" and isinstance(name, str) and name.isascii() and name.isalpha():
        request._request.method = name.upper()


class VersionView(CsCartView):
    """`/version`: the version that was called; nothing but GET is allowed to anybody."""

    schema = None
    version: str = ""

    def get(self, request: Request) -> HttpResponse:
        """The version as the URL has it."""
        return json_response({"Version": self.version})

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Errors: `Refused` 403 for the methods that entities have, 405 for any other."""
        raise Refused(403 if request.method in {"POST", "PUT", "DELETE"} else 405)


class UnknownEntityView(CsCartView):
    """Anything else below `/api`: refused in CS-Cart's order, so that a caller without a key learns nothing.

    `entity` is named in the refusal. `is_child`: it is asked for below a request, which must be readable first.
    """

    entity: str = ""
    is_child: bool = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Errors: `Refused`, at the latest 404."""
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS":
            return
        if self.is_child:
            self.require("view")
        raise Refused(404, *([_("não há “%(entity)s” nesta API") % {"entity": self.entity}] if self.entity else []))
