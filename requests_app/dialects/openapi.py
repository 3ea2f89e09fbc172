"""What OpenAPI says of both dialects: the list's parameter table and the error body."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from requests_app.dialects.listing import SORTS
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Iterable


class ErrorBody(serializers.Serializer[Any]):
    """Every error: the status's standard phrase, with the details after a colon, and the code again."""

    message = serializers.CharField()
    status = serializers.IntegerField()


_FILTERS: Final = {
    "status": "Status: " + ", ".join(Status.values),
    "name": "Part of the name, in any case",
    "phone": "Part of the phone as it was typed",
    "company_id": "Company",
    "order_status": "The order's status letter",
    "user_id": "The responsible",
    "order_exists": "Y = made with an order, N = without",
    "id": "One request (undocumented)",
    "order_email": "The order's e-mail address (undocumented)",
}
_UNDOCUMENTED: Final = frozenset({"id", "order_email"})


def list_parameters(*, undocumented: Iterable[str] = ()) -> list[OpenApiParameter]:
    """The query parameters of a list."""
    names = [name for name in _FILTERS if name not in _UNDOCUMENTED or name in set(undocumented)]
    return [
        OpenApiParameter("page", int, description="From 1; past the end is the last"),
        OpenApiParameter("items_per_page", int, description="0 = all, up to the installation's ceiling"),
        OpenApiParameter("sort_by", str, enum=list(SORTS), default="date"),
        OpenApiParameter("sort_order", str, enum=["asc", "desc"], default="desc"),
        OpenApiParameter(
            "cursor",
            str,
            description="Walks the whole list by date or id: empty to begin, then each answer's params.next_cursor",
        ),
        *(OpenApiParameter(name, str, description=_FILTERS[name]) for name in names),
    ]


IDEMPOTENCY_HEADERS: Final = [
    OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        OpenApiParameter.HEADER,
        description="Done once: a repetition within 24 hours gets the first answer, another body a 409",
    ),
    OpenApiParameter(
        "Idempotent-Replayed",
        str,
        OpenApiParameter.HEADER,
        response=[201],
        enum=["true"],
        description="It is an old answer",
    ),
]
NOT_MODIFIED: Final = OpenApiResponse(description="The caller has it already")
TAG_HEADERS: Final = [
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of what the caller has"),
    OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 304], description="Changes with the answer"),
]


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The error answers of an operation; every one may also be called too often."""
    return {
        status: OpenApiResponse(
            ErrorBody,
            description=HTTPStatus(status).phrase,
            examples=[
                OpenApiExample(
                    f"{status}",
                    {"message": HTTPStatus(status).phrase, "status": status},
                    response_only=True,
                    status_codes=[str(status)],
                )
            ],
        )
        for status in (*statuses, 429)
    }
