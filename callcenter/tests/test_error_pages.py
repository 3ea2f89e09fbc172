"""What no view answers: JSON where programs call, a page where people look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client, RequestFactory

from callcenter import error_pages

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse


def assert_json(response: _MonkeyPatchedWSGIResponse, status: int, phrase: str) -> None:
    """The answer is the dialects' error body."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json() == {"message": phrase, "status": status}


@pytest.mark.parametrize(
    "path", ["/api", "/api.phpx", "/venddor", "/venddor/", "/venddor/api/2.0/orders", "/webhooks/x"]
)
def test_an_unknown_path_of_the_programs_is_json(path: str) -> None:
    assert_json(Client().get(path), 404, "Not Found")


def test_an_unknown_path_of_people_is_a_page() -> None:
    response = Client().get("/nowhere")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/2.0/call_requests", "/api.php", "/venddor/api/2.0/call_requests"])
def test_a_strange_host_name_is_a_400_in_json(path: str) -> None:
    assert_json(Client().get(path, headers={"host": "evil.example"}), 400, "Bad Request")


def test_a_strange_host_name_in_the_panel_is_a_page() -> None:
    response = Client().get("/admin/", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "content_type"), [("/api/2.0/call_requests", "application/json"), ("/admin/", "text/html; charset=utf-8")]
)
def test_a_failure_outside_every_view_is_a_500_in_the_readers_form(path: str, content_type: str) -> None:
    response = error_pages.server_error(RequestFactory().get(path))

    assert response.status_code == 500
    assert response["Content-Type"].startswith(content_type.partition(";")[0])


def test_too_many_query_parameters_are_a_400_in_json() -> None:
    query = "&".join(f"a{number}=1" for number in range(1001))

    assert_json(Client().get(f"/api.php?{query}"), 400, "Bad Request")
