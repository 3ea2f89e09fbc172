"""The three answers of the API. HTTP status and `Code` are one; only Unauthorized has a documented `Message`.

Source: https://api.tempbox.com.br/referencias/atendimento, "HttpResponse: OK / Error / Unauthorized".
"""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse


def ok(data: list[dict[str, Any]] | None) -> HttpResponse:
    """200 with the rows, or null."""
    return _answer(200, {"Status": "ok", "Code": 200, "Success": True, "Data": data})


def error(message: str = "", *, status: int = 500) -> HttpResponse:
    """500, by contract; `Message` is ours, and says what an operator may know. 404, 405 and 413 look alike."""
    body = {"Status": "error", "Code": status, "Success": False, "Data": None}
    return _answer(status, {**body, "Message": message} if message else body)


def unauthorized() -> HttpResponse:
    """401: it is only about the token, and never says what is wrong with it."""
    body = {"Status": "error", "Code": 401, "Success": False, "Data": None, "Message": "Invalid token"}
    return _answer(401, body)


def _answer(status: int, body: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
    # The address holds the token and people's data: no one keeps or passes it on.
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
