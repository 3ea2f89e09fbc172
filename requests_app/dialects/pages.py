"""The page that a list is asked for, found in the cheapest way that gives the same answer, and its HTTP answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, StreamingHttpResponse

from requests_app.dialects.cursors import walk
from requests_app.dialects.filters import asked_for, filtered
from requests_app.dialects.listing import listing
from requests_app.dialects.quick import quick_page
from requests_app.models import CallRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.http.response import HttpResponseBase

    from requests_app.dialects.filters import CallRequestFilter, Rows
    from requests_app.dialects.listing import Listing
    from requests_app.dialects.quick import Shape


def page_asked_for(
    kind: type[CallRequestFilter],
    query: Mapping[str, str],
    *,
    scope: frozenset[int] | None,
    shape: Shape,
    present: Callable[[Rows], Any],
    owner: str,
) -> Listing:
    """The page of the requests in the scope: a step of a walk, an everyday page, or whatever else was asked.

    `owner` says whose walk a cursor continues; one of somebody else's is refused.

    Errors: `Refused` 400 for a broken or foreign cursor.
    """
    if "cursor" not in query and (page := quick_page(kind, query, scope=scope, shape=shape)):
        return page
    rows = filtered(kind, CallRequest.objects.visible_to(scope), query, company_scope=scope)
    if "cursor" in query:
        return walk(rows, query, present=present, owner=owner, filters=kind.base_filters)
    return listing(rows, query, present=present, asked=asked_for(kind, query, company_scope=scope))


def page_response(page: Listing, body: Iterable[bytes]) -> HttpResponseBase:
    """The body as JSON; streamed when its rows should not be held at once."""
    if page.is_short:
        return HttpResponse(b"".join(body), content_type="application/json")
    return StreamingHttpResponse(body, content_type="application/json")
