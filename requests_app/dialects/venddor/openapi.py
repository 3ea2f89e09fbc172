"""What OpenAPI says about the Venddor dialect; the samples are those of Venddor's page.

Source: Venddor, "Call Requests API" (https://www.venddor.com.br/api/2.0).
"""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from requests_app.dialects.openapi import IDEMPOTENCY_HEADERS, NOT_MODIFIED, TAG_HEADERS, errors, list_parameters
from requests_app.dialects.venddor.serializers import (
    VenddorCallRequestInput,
    VenddorCallRequestItem,
    VenddorCallRequestList,
    VenddorLogin,
    VenddorLoginInput,
    VenddorNewCallRequestInput,
)

_BODY: Final[dict[str, Any]] = {
    "phone": "+5511999998888",
    "name": "João Silva",
    "request_time": "2025-04-17T14:30:00Z",
    "notes": "Customer is interested in our Enterprise plan",
    "priority": "high",
    "assignee_id": 42,
}
_CREATED: Final[dict[str, Any]] = {
    "id": 12345,
    "phone": "+5511999998888",
    "name": "João Silva",
    "request_time": "2025-04-17T14:30:00Z",
    "created_at": "2025-04-16T10:25:32Z",
    "notes": "Customer is interested in our Enterprise plan",
    "status": "pending",
    "priority": "high",
    "assignee_id": 42,
}
_CHANGE: Final = {
    "status": "completed",
    "notes": "Customer was contacted and purchased the Enterprise plan",
    "completed_at": "2025-04-17T15:45:22Z",
}
_COMPLETED: Final = {
    "id": 12345,
    "phone": "+5511999998888",
    "name": "João Silva",
    "request_time": "2025-04-17T14:30:00Z",
    "created_at": "2025-04-16T10:25:32Z",
    "updated_at": "2025-04-17T15:45:22Z",
    "notes": "Customer was contacted and purchased the Enterprise plan",
    "status": "completed",
    "priority": "high",
    "assignee_id": 42,
    "completed_at": "2025-04-17T15:45:22Z",
}
_LIST: Final = {
    "call_requests": [_CREATED],
    "params": {
        "items_per_page": 10,
        "page": 1,
        "sort_order": "desc",
        "sort_by": "date",
        "sort_order_rev": "asc",
        "total_items": 1,
    },
}
_CREDENTIALS: Final = {"email": "shop@example.com", "password": "the password of the panel"}
_LOGIN: Final = {
    "status": "success",
    "data": {"api_key": "THE-API-KEY", "expires_at": "2025-05-17T14:30:00Z", "user_id": 42},
}
_TAGS: Final = ["Venddor"]
_PATH: Final = [OpenApiParameter("request_id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)]


def _answer(sample: dict[str, Any], status: int) -> OpenApiExample:
    return OpenApiExample("The documented answer", sample, response_only=True, status_codes=[str(status)])


LIST: Final = extend_schema(
    operation_id="venddor_call_requests_list",
    summary="Retrieve all call requests",
    description="The filter `status` also takes `pending`.",
    tags=_TAGS,
    parameters=list_parameters(),
    responses={200: VenddorCallRequestList, **errors(400, 401, 403)},
    examples=[OpenApiExample("A list", _LIST, response_only=True, status_codes=["200"])],
)
CREATE: Final = extend_schema(
    operation_id="venddor_call_requests_create",
    summary="Create a new call request",
    tags=_TAGS,
    parameters=IDEMPOTENCY_HEADERS,
    request={"application/json": VenddorNewCallRequestInput},
    responses={201: VenddorCallRequestItem, **errors(400, 401, 403, 409, 413, 415)},
    examples=[OpenApiExample("The documented body", _BODY, request_only=True), _answer(_CREATED, 201)],
)
RETRIEVE: Final = extend_schema(
    operation_id="venddor_call_requests_retrieve",
    summary="Retrieve a specific call request",
    tags=_TAGS,
    parameters=[*_PATH, *TAG_HEADERS],
    responses={200: VenddorCallRequestItem, 304: NOT_MODIFIED, **errors(401, 403, 404)},
    examples=[_answer(_CREATED, 200)],
)
UPDATE: Final = extend_schema(
    operation_id="venddor_call_requests_update",
    summary="Update a call request",
    description="Only the fields sent change.",
    tags=_TAGS,
    parameters=_PATH,
    request={"application/json": VenddorCallRequestInput},
    responses={200: VenddorCallRequestItem, **errors(400, 401, 403, 404, 413, 415)},
    examples=[OpenApiExample("The documented body", _CHANGE, request_only=True), _answer(_COMPLETED, 200)],
)
AUTH: Final = extend_schema(
    operation_id="venddor_auth",
    summary="Get an API key for an e-mail address and a password",
    description="The key expires; of several only the newest stay valid.",
    tags=_TAGS,
    auth=[],
    request={"application/json": VenddorLoginInput},
    responses={200: VenddorLogin, **errors(400, 401, 403, 413, 415)},
    examples=[
        OpenApiExample("Credentials", _CREDENTIALS, request_only=True),
        OpenApiExample("A key", _LOGIN, response_only=True, status_codes=["200"]),
    ],
)
DELETE: Final = extend_schema(
    operation_id="venddor_call_requests_destroy",
    summary="Delete a call request",
    description="A request whose call is in flight is a 409, and stays.",
    tags=_TAGS,
    parameters=_PATH,
    request=None,
    responses={204: OpenApiResponse(description="Deleted"), **errors(401, 403, 404, 409)},
)
