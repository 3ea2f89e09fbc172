"""What OpenAPI says about the CS-Cart dialect; the samples are those of CS-Cart's page.

Source: CS-Cart, "Заявки на обратный звонок: call_requests" (REST API 2.0).
"""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from requests_app.dialects.cscart.serializers import (
    CsCartCallRequestId,
    CsCartCallRequestInput,
    CsCartCallRequestItem,
    CsCartCallRequestList,
)
from requests_app.dialects.openapi import IDEMPOTENCY_HEADERS, NOT_MODIFIED, TAG_HEADERS, errors, list_parameters

_VLADIMIR: Final[dict[str, Any]] = {
    "request_id": "1",
    "company_id": "1",
    "order_id": "0",
    "user_id": "0",
    "product_id": "0",
    "timestamp": "1442933072",
    "status": "new",
    "name": "Vladimir",
    "phone": "+7(917)111-11-11",
    "time_from": "10:00",
    "time_to": "20:00",
    "notes": None,
    "cart_products": "",
    "order_status": None,
    "product": None,
}
_INNA: Final[dict[str, Any]] = {
    **_VLADIMIR,
    "request_id": "2",
    "timestamp": "1442933097",
    "name": "Inna",
    "phone": "+7(917)000-00-00",
    "time_from": "__:__",
    "time_to": "",
}
_LIST_SAMPLE: Final = {
    "call_requests": [_INNA, _VLADIMIR],
    "params": {
        "items_per_page": "10",
        "page": 1,
        "sort_order": "desc",
        "sort_by": "date",
        "sort_order_rev": "asc",
        "total_items": "2",
    },
}
_TAGS: Final = ["CS-Cart"]
_PATH: Final = [
    OpenApiParameter(
        "request_id",
        {"type": "integer", "minimum": 1},
        OpenApiParameter.PATH,
        description="0 is no id: it names the list. What is no number is a 404",
    )
]

LIST: Final = extend_schema(
    operation_id="cscart_call_requests_list",
    summary="List of call requests",
    tags=_TAGS,
    parameters=list_parameters(undocumented=("id", "order_email")),
    responses={200: CsCartCallRequestList, **errors(400, 401, 403, 406)},
    examples=[OpenApiExample("The documented list", _LIST_SAMPLE, response_only=True, status_codes=["200"])],
)
CREATE: Final = extend_schema(
    operation_id="cscart_call_requests_create",
    summary="Create a call request",
    description="Needs `phone` or `email`.",
    tags=_TAGS,
    parameters=IDEMPOTENCY_HEADERS,
    request={"application/json": CsCartCallRequestInput, "application/x-www-form-urlencoded": CsCartCallRequestInput},
    responses={201: CsCartCallRequestId, **errors(400, 401, 403, 405, 409, 413, 415)},
    examples=[
        OpenApiExample("The documented body", {"phone": "+7(999)111-22-33", "name": "Api"}, request_only=True),
        OpenApiExample("The documented answer", {"request_id": "7"}, response_only=True, status_codes=["201"]),
    ],
)
RETRIEVE: Final = extend_schema(
    operation_id="cscart_call_requests_retrieve",
    summary="One call request",
    tags=_TAGS,
    parameters=[*_PATH, *TAG_HEADERS],
    responses={200: CsCartCallRequestItem, 304: NOT_MODIFIED, **errors(401, 403, 404, 406)},
    examples=[OpenApiExample("The documented item", _VLADIMIR, response_only=True, status_codes=["200"])],
)
UPDATE: Final = extend_schema(
    operation_id="cscart_call_requests_update",
    summary="Update a call request",
    description="Only the fields sent change. A missing request is a 400, as CS-Cart documents; no number a 404.",
    tags=_TAGS,
    parameters=_PATH,
    request={"application/json": CsCartCallRequestInput},
    responses={200: CsCartCallRequestId, **errors(400, 401, 403, 404, 405, 413, 415)},
    examples=[
        OpenApiExample("The documented body", {"status": "no_answer", "notes": "No answer"}, request_only=True),
        OpenApiExample("The documented answer", {"request_id": "7"}, response_only=True, status_codes=["200"]),
    ],
)
DELETE: Final = extend_schema(
    operation_id="cscart_call_requests_destroy",
    summary="Delete a call request",
    description="A request whose call is in flight is a 400, and stays.",
    tags=_TAGS,
    parameters=_PATH,
    request=None,
    responses={204: OpenApiResponse(description="Deleted"), **errors(400, 401, 403, 404)},
)
