"""The Content-Security-Policy is on every answer, and a page's own one wins."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp_exempt, csp_update
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from callcenter.content_policy import ContentPolicy

HEADER = "Content-Security-Policy"


def plain(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def own(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={HEADER: "default-src 'none'"})


wider = csp_update({"img-src": ["https://maps.example.com"]})(plain)
without = csp_exempt()(plain)


def test_every_answer_has_the_policy_that_the_library_would_write() -> None:
    request = RequestFactory().get("/")
    ours = ContentPolicy(plain)
    for view in (plain, wider, plain, own, without, plain):
        ours.get_response = view
        answers: list[Any] = [ours(request), CSPMiddleware(view)(request)]
        written, expected = ({*answer.get(HEADER, "").split("; ")} for answer in answers)
        assert written == expected
        assert (view is wider) == any("maps.example.com" in part for part in written)
    assert {"default-src 'none'", "script-src 'self'"} <= written
