"""A shop's program, for tests: it calls our URLs with a key and reads JSON."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from django.test import Client

from callcenter.tests.factories import make_api_key, make_attendant, make_company

if TYPE_CHECKING:
    from callcenter.accounts.models import Company, User


def basic(email: str, secret: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{email}:{secret}".encode()).decode()


class Shop:
    """Calls as one user with a fresh key; views' exceptions become answers, as on a real server."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.key = make_api_key(user)
        self.http = Client(raise_request_exception=False, headers={"authorization": basic(user.email, self.key)})

    def get(self, url: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        """The answer to a GET."""
        return self.http.get(url, query or {}, headers=headers)

    def send(
        self,
        method: str,
        url: str,
        body: Any = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """The answer to any method; a body that is not bytes or text goes as JSON."""
        raw = body if isinstance(body, (bytes, str)) else json.dumps(body)
        # Django's client leaves the content type out of an empty request unless it is named twice.
        return self.http.generic(
            method, url, raw, content_type=content_type, headers=headers, CONTENT_TYPE=content_type
        )

    def post(self, url: str, body: Any, **kwargs: Any) -> Any:
        """The answer to a POST."""
        return self.send("POST", url, body, **kwargs)

    def put(self, url: str, body: Any, **kwargs: Any) -> Any:
        """The answer to a PUT."""
        return self.send("PUT", url, body, **kwargs)

    def delete(self, url: str) -> Any:
        """The answer to a DELETE without a body."""
        return self.http.delete(url)


def stranger_id(kind: str, company: Company) -> int:
    """The id of somebody who can't be made responsible in that company: `unknown`, `foreign` or `inactive`."""
    if kind == "unknown":
        return 999_999
    stranger = make_attendant(make_company()) if kind == "foreign" else make_attendant(company, is_active=False)
    return stranger.pk


def ordered(text: str | bytes) -> str:
    """JSON in one spelling that keeps the order of keys, so that two answers can be compared to the letter."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=1)


def assert_error(response: Any, status: int, *words: str, phrase: str = "") -> None:
    """The answer is exactly the dialects' error body, with these words in its message."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert list(body) == ["message", "status"]
    assert body["status"] == status
    for word in words:
        assert word in body["message"], body
    if phrase:
        assert body["message"] == phrase
