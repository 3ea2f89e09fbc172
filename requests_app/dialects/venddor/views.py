"""The Venddor dialect's list and item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.database import for_update
from requests_app.data import KeptAnswer
from requests_app.dialects.bodies import json_body
from requests_app.dialects.companies import company_for
from requests_app.dialects.fields import checked
from requests_app.dialects.filters import Rows
from requests_app.dialects.http import DialectView, Refused, encoded, json_response, no_content
from requests_app.dialects.idempotency import once
from requests_app.dialects.listing import Listing
from requests_app.dialects.pages import page_asked_for, page_response
from requests_app.dialects.quick import Shape, quick_row
from requests_app.dialects.venddor import openapi, wire
from requests_app.dialects.venddor.filters import VenddorFilter
from requests_app.dialects.venddor.serializers import VenddorCallRequestInput, VenddorNewCallRequestInput
from requests_app.models import CallRequest
from requests_app.services.intake import change_call_request, create_call_request, delete_call_request
from requests_app.states import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.serializers import Serializer


_SHAPE: Final = Shape(wire.COLUMNS)


class VenddorView(DialectView):
    """What both views share."""

    source = Source.VENDDOR
    wire_names = wire.WIRE_NAMES

    def object_sent(self, request: Request) -> dict[str, Any]:
        """The object in the body.

        Errors: `Refused` 415 for another type than JSON, 400 for what can't be read.
        """
        media_type = str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused(415, _("Envie JSON com Content-Type: application/json"))
        body = json_body(request.body)
        if not isinstance(body, dict):
            raise Refused(400, _("O corpo deve ser um objeto JSON"))
        return body

    def fields_sent(self, request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """The checked fields of the body, under this dialect's names.

        Errors: `Refused` 415 for another type than JSON, 400 for what can't be read or accepted.
        """
        return checked(serializer, self.object_sent(request))


class CallRequestListView(VenddorView):
    """`/call_requests`."""

    @openapi.LIST
    def get(self, request: Request) -> HttpResponseBase:
        """A page of requests."""
        self.require("view")
        query = request.query_params.dict()
        page = page_asked_for(
            VenddorFilter,
            query,
            scope=self.caller.company_scope,
            shape=_SHAPE,
            present=_item_columns,
            owner=f"venddor/{self.caller.user.pk}",
        )
        return page_response(page, _list_body(page))

    @openapi.CREATE
    def post(self, request: Request) -> HttpResponse:
        """A new request, whole."""
        self.require("add")
        sent = self.object_sent(request)
        return once(request, self.caller.user, operation="POST venddor", body=sent, answer=lambda: self._created(sent))

    def _created(self, sent: dict[str, Any]) -> KeptAnswer:
        body = checked(VenddorNewCallRequestInput, sent)
        company_id = company_for(self.caller.user, asked_id=body.get("company_id", 0))
        stored = create_call_request(
            company_id, origin=self.origin, now=timezone.now(), fields=wire.fields(body), may_be_repeated=True
        )
        return KeptAnswer(201, encoded(wire.item(vars(stored))), company_id, stored.booked_at)


class CallRequestView(VenddorView):
    """`/call_requests/:id`; another company's request is as good as none."""

    @openapi.RETRIEVE
    def get(self, request: Request, request_id: int) -> HttpResponse:
        """One request."""
        self.require("view")
        row = quick_row(request_id, scope=self.caller.company_scope, shape=_SHAPE)
        if row is None:
            raise Refused(404)
        return self.tagged(wire.item(row))

    @openapi.UPDATE
    def put(self, request: Request, request_id: int) -> HttpResponse:
        """The request, whole, after the fields sent were changed."""
        self.require("change")
        body = self.fields_sent(request, VenddorCallRequestInput)
        scope = self.caller.company_scope
        with transaction.atomic():
            # Locked, because what "pending" means depends on the status that the request has now.
            current = for_update(self._rows(request_id)).first()
            if current is None:
                raise Refused(404)
            fields = wire.fields(body, current=current.status)
            changed = change_call_request(
                request_id, scope=scope, origin=self.origin, now=timezone.now(), fields=fields
            )
        self.tell_callback(changed)
        return json_response(wire.item(vars(changed)))

    @openapi.DELETE
    def delete(self, request: Request, request_id: int) -> HttpResponse:
        """The request is gone for good."""
        self.require("delete")
        delete_call_request(request_id, scope=self.caller.company_scope, origin=self.origin, now=timezone.now())
        return no_content()

    def _rows(self, request_id: int) -> Rows:
        return CallRequest.objects.visible_to(self.caller.company_scope).filter(pk=request_id)


class UnknownView(VenddorView):
    """Anything else below the mount: a 404, but not for a caller without a key."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Errors: `Refused`, at the latest 404."""
        super().initial(request, *args, **kwargs)
        raise Refused(404)


unknown = UnknownView.as_view()


def _item_columns(rows: Rows) -> Any:
    return rows.values(*wire.COLUMNS)


def _list_body(page: Listing) -> Iterator[bytes]:
    yield b'{"call_requests":['
    comma = b""
    for rows in page.chunks:
        # The array's own brackets are already there.
        items = encoded([wire.item(row) for row in rows])[1:-1]
        if items:
            yield comma + items
            comma = b","
    yield b'],"params":' + encoded(wire.params(page)) + b"}"
