"""Where the CS-Cart dialect answers, below `/api/`; the canonical forms have their own lines for OpenAPI's sake."""

from __future__ import annotations

from django.urls import path, re_path, register_converter

from requests_app.dialects.cscart import views


class PlainId:
    """An id from 1, in at most 18 digits; every other way to write one is read by `by_path`."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """The digits."""
        return str(value)


register_converter(PlainId, "cscart_id")

urlpatterns = [
    path("2.0/call_requests", views.CallRequestListView.as_view()),
    path("2.0/call_requests/<cscart_id:request_id>", views.CallRequestView.as_view()),
    re_path(r"^(?P<path>.*)$", views.by_path),
]
