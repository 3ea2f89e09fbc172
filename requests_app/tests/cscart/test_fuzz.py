"""Whatever is sent, the answer is JSON of the dialect and never a 5xx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.tests.factories import make_call_request
from requests_app.dialects.cscart.serializers import CsCartCallRequestInput

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/api/2.0/call_requests"
FIELDS = list(CsCartCallRequestInput().fields)
PARAMS = [
    "page", "items_per_page", "sort_by", "sort_order", "status", "name", "phone", "company_id", "order_status",
    "user_id", "order_exists", "id", "order_email", "_d",
]  # fmt: skip
TYPES = ["application/json", "text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
TEXT = st.text(st.characters(), max_size=40)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["new", "1", "0", ""])
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
BODY = st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUE, max_size=6)
FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_json_answer(answer: Any) -> None:
    """No 5xx, and a body that is JSON, or none at all for a 204."""
    assert answer.status_code < 500, answer.content
    if answer.status_code == 204:
        assert answer.content == b""
        return
    body = json.loads(answer.getvalue())
    if answer.status_code >= 400:
        assert list(body) == ["message", "status"]


@pytest.mark.conforms("CS-anything")
@FUZZ
@given(body=BODY)
def test_any_object_in_a_body(shop: Shop, company: Company, body: dict[str, Any]) -> None:
    call_request = make_call_request(company)

    answer = shop.post(URL, {"phone": "1", **body})
    assert_json_answer(answer)
    if answer.status_code == 201:
        assert_json_answer(shop.get(f"{URL}/{answer.json()['request_id']}"))
    assert_json_answer(shop.put(f"{URL}/{call_request.pk}", body))
    assert_json_answer(shop.get(f"{URL}/{call_request.pk}"))
    assert_json_answer(shop.get(URL))


@pytest.mark.conforms("CS-anything")
@FUZZ
@given(
    raw=st.binary(max_size=200) | VALUE.map(lambda value: json.dumps(value).encode()),
    content_type=st.sampled_from(
        ["application/json", "text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
    ),
    method=st.sampled_from(["POST", "PUT", "DELETE"]),
)
def test_any_bytes_in_a_body(shop: Shop, company: Company, raw: bytes, content_type: str, method: str) -> None:
    url = URL if method == "POST" else f"{URL}/{make_call_request(company).pk}"

    assert_json_answer(shop.send(method, url, raw, content_type=content_type))


@pytest.mark.conforms("CS-anything")
@FUZZ
@given(
    query=st.dictionaries(
        st.sampled_from(PARAMS) | st.text(st.characters(codec="utf-8"), max_size=10),
        st.integers().map(str) | st.text(st.characters(codec="utf-8"), max_size=40),
        max_size=5,
    ),
)
def test_any_query_string(shop: Shop, company: Company, query: dict[str, str]) -> None:
    make_call_request(company, name="João")

    assert_json_answer(shop.get(URL, query))
    assert_json_answer(shop.get("/api.php", query))


@pytest.mark.conforms("CS-anything")
@FUZZ
@given(raw=st.binary(max_size=60))
def test_any_bytes_in_a_query_string(shop: Shop, raw: bytes) -> None:
    assert_json_answer(shop.http.get(URL, QUERY_STRING=raw.decode("latin-1")))


@pytest.mark.conforms("CS-anything")
@FUZZ
@given(segment=st.text(st.characters(codec="utf-8"), max_size=30) | st.floats().map(str) | st.integers().map(str))
def test_any_segment_for_an_id(shop: Shop, segment: str) -> None:
    for method in ["GET", "PUT", "DELETE"]:
        assert_json_answer(shop.send(method, f"{URL}/{quote(segment, safe='')}", {"name": "x"}))
