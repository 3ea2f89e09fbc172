"""Content types and bodies: what is read how, what is refused with what, and in which order."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError

from callcenter.tests.factories import make_call_request
from requests_app.dialects import pages
from requests_app.models import CallRequest
from requests_app.tests.api import assert_error

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/api/2.0/call_requests"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.conforms("CS-accept", "CS-accept-text")
@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "APPLICATION/JSON",
        "application/javascript",
        "text/plain",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/html, application/json;q=0.1",
        "application/json; charset=utf-8",
    ],
)
def test_accepted_types_that_include_ours(shop: Shop, accept: str) -> None:
    answer = shop.get(URL, accept=accept)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


@pytest.mark.conforms("CS-accept")
@pytest.mark.parametrize("accept", ["text/html", "application/*", "application/json;q=0", "image/png,text/html"])
def test_accepted_types_that_leave_out_ours_are_a_406(shop: Shop, accept: str) -> None:
    assert_error(shop.get(URL, accept=accept), 406, phrase="Not Acceptable")


@pytest.mark.conforms("CS-accept")
def test_what_is_accepted_does_not_matter_to_a_write(shop: Shop) -> None:
    assert shop.post(URL, {"phone": "1"}, accept="text/html").status_code == 201


@pytest.mark.conforms("CS-json")
@pytest.mark.parametrize("content_type", ["application/json", "application/javascript", "application/json; charset=x"])
def test_json(shop: Shop, content_type: str) -> None:
    assert shop.post(URL, {"phone": "1"}, content_type=content_type).status_code == 201


@pytest.mark.conforms("CS-form", "CS-text")
@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-8", "", FORM])
def test_forms(shop: Shop, content_type: str) -> None:
    answer = shop.post(URL, "phone=%2B7(999)1&name=Jo%C3%A3o+S&order_id=5&phone=2", content_type=content_type)

    assert answer.status_code == 201
    created = CallRequest.objects.get()
    assert (created.phone, created.name, created.order_number) == ("2", "João S", 5)


@pytest.mark.conforms("CS-form")
def test_a_multipart_form(shop: Shop) -> None:
    answer = shop.http.post(URL, {"phone": "1", "name": "João"})

    assert answer.status_code == 201
    assert CallRequest.objects.get().name == "João"


@pytest.mark.conforms("CS-text")
@pytest.mark.parametrize("content_type", ["text/plain", "", FORM])
def test_json_sent_as_something_else_is_told_so(shop: Shop, content_type: str) -> None:
    answer = shop.post(URL, '{"phone": "1"}', content_type=content_type)

    assert_error(answer, 400, "Bad Request: phone: ", "Content-Type: application/json")


@pytest.mark.conforms("CS-form")
def test_php_reads_no_form_from_a_put(shop: Shop, company: Company) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    assert_error(shop.put(url, "name=x", content_type=FORM), 405)
    assert shop.put(url, "name=x", content_type="text/plain").status_code == 200


@pytest.mark.conforms("CS-order", "CS-type-other")
@pytest.mark.parametrize("content_type", ["application/xml", "text/json", "image/png", "json"])
def test_other_content_types_are_a_415_before_anything_of_the_body_or_the_url(shop: Shop, content_type: str) -> None:
    for method, url in [("POST", URL), ("PUT", f"{URL}/1"), ("PUT", f"{URL}/abc"), ("POST", "/api/2.0/orders")]:
        answer = shop.send(method, url, "{ broken", content_type=content_type)
        assert_error(answer, 415, phrase="Unsupported Media Type")


@pytest.mark.conforms("CS-body-broken", "CS-order")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"{'phone': 1}",
        b'{"phone": "1",}',
        b'{"phone": "1"} x',
        b'{"phone": NaN}',
        b'{"order_id": Infinity}',
        b'{"order_id": 1e999}',
        b'{"order_id": ' + b"9" * 5000 + b"}",
        b'{"name": "\xff\xfe"}',
        b'\xef\xbb\xbf{"phone": "1"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda body: body[:16].decode("latin-1"),
)
def test_a_broken_body_is_a_400_with_the_parsers_message_wherever_it_is_sent(shop: Shop, body: bytes) -> None:
    for method, url in [("POST", URL), ("PUT", f"{URL}/abc"), ("POST", "/api/2.0/orders")]:
        assert_error(shop.send(method, url, body), 400, "Bad Request: ", "JSON")
    assert not CallRequest.objects.exists()


@pytest.mark.conforms("CS-body-broken")
@pytest.mark.parametrize("body", [b"name=%ff", b"\xff=1", b"&".join([b"a=1"] * 1001)])
@pytest.mark.parametrize("content_type", ["text/plain", FORM])
def test_a_broken_form_is_a_400(shop: Shop, body: bytes, content_type: str) -> None:
    assert_error(shop.post(URL, body, content_type=content_type), 400, "Bad Request: ")


@pytest.mark.conforms("CS-body-broken")
def test_a_broken_multipart_form_is_a_400(shop: Shop) -> None:
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=\xff",
        "multipart/form-data; boundary=x",
    ]:
        answer = shop.post(URL, b"--x\r\nnonsense", content_type=content_type)
        assert answer.status_code in {400, 405}
        assert answer.json()["status"] == answer.status_code


@pytest.mark.conforms("CS-body-large")
def test_a_body_over_the_limit_is_a_413(shop: Shop, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    for content_type in ["application/json", "text/plain", FORM]:
        assert_error(shop.post(URL, b"x" * 1001, content_type=content_type), 413)


@pytest.mark.conforms("CS-body-empty")
@pytest.mark.parametrize("body", ["{}", "[]", "null", "0", '""', "false", '"0"'])
def test_an_empty_value_is_a_405(shop: Shop, company: Company, body: str) -> None:
    assert_error(shop.post(URL, body), 405, "Method Not Allowed: ")
    assert_error(shop.put(f"{URL}/{make_call_request(company).pk}", body), 405, "Method Not Allowed: ")


@pytest.mark.conforms("CS-body-scalar")
@pytest.mark.parametrize("body", ['"x"', "5", '[{"phone": "1"}]', "true"])
def test_a_value_that_is_no_object_lacks_a_phone(shop: Shop, company: Company, body: str) -> None:
    assert_error(shop.post(URL, body), 400, "Bad Request: phone")
    assert_error(shop.put(f"{URL}/{make_call_request(company).pk}", body), 400)


@pytest.mark.conforms("CS-delete", "CS-delete-body")
@pytest.mark.parametrize("body", [b"", b"{ broken", b"{}"])
def test_a_delete_with_a_json_content_type_and_any_body_is_done(shop: Shop, company: Company, body: bytes) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    assert shop.send("DELETE", url, body).status_code == 204
    assert_error(shop.send("DELETE", url, body), 404, phrase="Not Found")


@pytest.mark.conforms("CS-no-message")
def test_success_bodies_never_carry_a_message(shop: Shop, company: Company) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    for answer in [shop.get(URL), shop.get(url), shop.post(URL, {"phone": "1"}), shop.put(url, {"name": "x"})]:
        assert "message" not in answer.json()


@pytest.mark.conforms("CS-headers")
def test_answers_are_ascii_json_without_a_charset(shop: Shop, company: Company) -> None:
    url = f"{URL}/{make_call_request(company, name='João').pk}"

    for answer in [shop.get(URL), shop.get(url)]:
        assert answer["Content-Type"] == "application/json"
        assert answer.content.isascii()
        assert b"Jo\\u00e3o" in answer.content
    refusal = shop.get("/api/2.0/orders")
    assert refusal.content.isascii()
    assert "não há" in refusal.json()["message"]


@pytest.mark.conforms("CS-headers")
def test_nobody_may_keep_an_answer(shop: Shop) -> None:
    assert shop.get(URL)["Cache-Control"] == "no-store"


@pytest.mark.conforms("CS-error-5xx")
@pytest.mark.parametrize(
    ("error", "status", "phrase"),
    [(ZeroDivisionError, 500, "Internal Server Error"), (OperationalError, 503, "Service Unavailable")],
)
def test_what_nobody_foresaw_is_a_5xx_in_json_and_in_the_log(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
    status: int,
    phrase: str,
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(pages, "quick_page", fail)

    with caplog.at_level(logging.ERROR):
        assert_error(shop.get(URL), status, phrase=phrase)
    assert error.__name__ in caplog.text
