"""The CS-Cart dialect's list, item, and the ways to name them in a URL."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from callcenter.accounts.selectors import assignable_names
from callcenter.lib.errors import InvalidInput, NotFound
from requests_app.data import KeptAnswer
from requests_app.dialects.companies import company_for
from requests_app.dialects.cscart import openapi, wire
from requests_app.dialects.cscart.base import CsCartView, UnknownEntityView, VersionView
from requests_app.dialects.cscart.filters import CsCartFilter
from requests_app.dialects.cscart.requests import media_type_of, numeric_id
from requests_app.dialects.http import Refused, encoded, json_response, no_content
from requests_app.dialects.idempotency import once
from requests_app.dialects.listing import Listing, order_status
from requests_app.dialects.pages import page_asked_for, page_response
from requests_app.dialects.products import cart_names, language_asked, product_name
from requests_app.dialects.quick import Shape, quick_row
from requests_app.models import CallRequest
from requests_app.services.intake import change_call_request, create_call_request, delete_call_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from requests_app.dialects.filters import Rows

# Methods that only make sense with an id -> the permission they ask for first.
_NEEDS_ID: Final = {"PUT": "change", "DELETE": "delete"}
# Newer programs answer for all of these alike; 1.0 has no call requests.
VERSIONS: Final = frozenset({"2.0", "2.1", "4.0", "4.1"})
CURRENT_VERSION: Final = "2.0"
_SHAPE: Final = Shape(wire.COLUMNS, has_mirrors=True)


class CallRequestListView(CsCartView):
    """`/call_requests`."""

    @openapi.LIST
    def get(self, request: Request) -> HttpResponseBase:
        """A page of requests."""
        self.require("view")
        query = request.query_params.dict()
        language = language_asked(query)
        page = page_asked_for(
            CsCartFilter,
            query,
            scope=self.caller.company_scope,
            shape=replace(_SHAPE, language=language),
            present=partial(_item_columns, language=language),
            owner=f"cscart/{self.caller.user.pk}/{self.store_id or ''}",
        )
        return page_response(page, _list_body(page, wire.params(page, query)))

    @openapi.CREATE
    def post(self, request: Request) -> HttpResponse:
        """A new request."""
        self.require("add")
        operation = f"POST cscart/{self.store_id or ''}"
        return once(request, self.caller.user, operation=operation, body=self.payload, answer=self._created)

    def _created(self) -> KeptAnswer:
        body = self.fields_sent()
        if wire.is_empty_to_php(body.get("phone")) and wire.is_empty_to_php(body.get("email")):
            raise Refused(400, *_contact_missing(media_type_of(self.request)))
        company_id = company_for(self.caller.user, asked_id=body.get("company_id", 0))
        stored = _without_stranger(
            wire.fields(body),
            lambda fields: create_call_request(
                company_id, origin=self.origin, now=timezone.now(), fields=fields, may_be_repeated=True
            ),
        )
        answer = encoded({"request_id": str(stored.pk)}, ascii_only=True)
        return KeptAnswer(201, answer, company_id, stored.booked_at)

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Errors: `Refused` 403 or 405; PUT and DELETE are told that they need an id."""
        if request.method in _NEEDS_ID:
            self.require(_NEEDS_ID[request.method])
            raise Refused(405, _("Falta o número do pedido na URL"))
        raise Refused(405)


class CallRequestView(CsCartView):
    """`/call_requests/:id`; another company's request is as good as none."""

    @openapi.RETRIEVE
    def get(self, request: Request, request_id: int) -> HttpResponse:
        """One request."""
        self.require("view")
        shape = replace(_SHAPE, language=language_asked(request.query_params))
        row = quick_row(request_id, scope=self.caller.company_scope, shape=shape)
        if row is None:
            raise Refused(404)
        return self.tagged(_items([row])[0])

    @openapi.UPDATE
    def put(self, request: Request, request_id: int) -> HttpResponse:
        """The fields sent are changed, the others stay."""
        self.require("change")
        fields, scope, now = wire.fields(self.fields_sent()), self.caller.company_scope, timezone.now()
        try:
            changed = _without_stranger(
                fields,
                lambda known: change_call_request(request_id, scope=scope, origin=self.origin, now=now, fields=known),
            )
        except NotFound:
            raise Refused(400) from None
        self.tell_callback(changed)
        return json_response({"request_id": str(request_id)})

    @openapi.DELETE
    def delete(self, request: Request, request_id: int) -> HttpResponse:
        """The request is gone for good. A body, empty or not, is not looked at."""
        self.require("delete")
        delete_call_request(request_id, scope=self.caller.company_scope, origin=self.origin, now=timezone.now())
        return no_content()

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Errors: `Refused` 403 or 405; POST is told that a new request has no id yet."""
        if request.method == "POST":
            self.require("add")
            raise Refused(405, _("POST não leva número do pedido na URL"))
        raise Refused(405)


_list = CallRequestListView.as_view()
_item = CallRequestView.as_view()
# For what is not even written as a path below the mount.
unknown = UnknownEntityView.as_view()


@csrf_exempt
def by_path(request: HttpRequest, path: str) -> HttpResponseBase:
    """The answer of the view that a path below `/api/` names, in any of the forms that CS-Cart understands.

    The version may be left out, one trailing slash is ignored, and an id of 0 is no id.
    """
    segments = path.removesuffix("/").split("/")
    version = CURRENT_VERSION
    if segments[0] in VERSIONS:
        version, *segments = segments
    match segments:
        case ["call_requests", *rest]:
            return _call_requests(request, rest)
        case ["stores", segment, "call_requests", *rest] if store_id := numeric_id(segment):
            return _call_requests(request, rest, store_id=store_id)
        case ["version"]:
            return VersionView.as_view(version=version)(request)
        case _:
            entity = segments[0][:64] if segments and all(segments) else ""
            return UnknownEntityView.as_view(entity=entity)(request)


def _call_requests(request: HttpRequest, rest: list[str], *, store_id: int | None = None) -> HttpResponseBase:
    """The list or the item that the segments after `call_requests` name."""
    scoped: dict[str, Any] = {} if store_id is None else {"store_id": store_id}
    list_view = CallRequestListView.as_view(**scoped) if scoped else _list
    match rest:
        case []:
            return list_view(request)
        case [segment]:
            request_id = numeric_id(segment)
            if request_id is None:
                return UnknownEntityView.as_view(**scoped)(request)
            item_view = CallRequestView.as_view(**scoped) if scoped else _item
            return item_view(request, request_id=request_id) if request_id else list_view(request)
        case _:
            is_child = all(rest) and numeric_id(rest[0]) is not None
            return UnknownEntityView.as_view(is_child=is_child, **scoped)(request)


@csrf_exempt
def by_parameter(request: HttpRequest) -> HttpResponseBase:
    """The same for servers that don't rewrite URLs: `/api.php?_d=call_requests/7`."""
    return by_path(request, request.GET.get("_d", ""))


def _item_columns(rows: Rows, *, language: str) -> Any:
    mirrored = {"product": product_name(language), "cart_names": cart_names(language)}
    return rows.values(*wire.COLUMNS, order_status=order_status(), **mirrored)


def _items(rows: list[wire.Row]) -> list[dict[str, Any]]:
    """The rows as they are shown; where the installation wants it, with those who may be responsible."""
    if not settings.CSCART_RESPONSIBLE:
        return [wire.item(row) for row in rows]
    staff = assignable_names({row["company_id"] for row in rows})
    # PHP writes a map without entries as a list.
    return [{**wire.item(row), "responsible": staff[row["company_id"]] or []} for row in rows]


def _list_body(page: Listing, params: dict[str, Any]) -> Iterator[bytes]:
    yield b'{"call_requests":['
    comma = b""
    for rows in page.chunks:
        # The array's own brackets are already there.
        items = encoded(_items(rows), ascii_only=True)[1:-1]
        if items:
            yield comma + items
            comma = b","
    yield b'],"params":' + encoded(params, ascii_only=True) + b"}"


def _without_stranger(fields: Mapping[str, Any], write: Callable[[Mapping[str, Any]], CallRequest]) -> CallRequest:
    """What `write` stored; a responsible who is no attendant of the company is left out, as CS-Cart does."""
    try:
        return write(fields)
    except InvalidInput as error:
        if error.field != "responsible_id":
            raise
    return write({name: value for name, value in fields.items() if name != "responsible_id"})


def _contact_missing(media_type: str) -> list[str]:
    details = [_("phone: informe o telefone (phone) ou o e-mail (email)")]
    if media_type not in {"application/json", "application/javascript"}:
        details.append(_("O corpo foi lido como formulário; para JSON envie Content-Type: application/json"))
    return details
