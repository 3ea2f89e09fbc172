"""Whatever is sent, the answer is JSON of the dialect and never a 5xx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.tests.factories import make_call_request
from requests_app.dialects.venddor.serializers import VenddorCallRequestInput

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/venddor/api/2.0/call_requests"
FIELDS = list(VenddorCallRequestInput().fields)
PARAMS = ["page", "items_per_page", "sort_by", "sort_order", "status", "name", "phone", "company_id", "user_id"]
TEXT = st.text(st.characters(), max_size=40)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.datetimes().map(lambda at: f"{at.isoformat()}Z")
    | st.sampled_from(["pending", "completed", "high", "1", ""])
)
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
BODY = st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUE, max_size=6)
FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_json_answer(answer: Any) -> None:
    """No 5xx, and a body that is JSON."""
    assert answer.status_code < 500, answer.content
    body = json.loads(answer.getvalue())
    if answer.status_code >= 400:
        assert list(body) == ["message", "status"]


@pytest.mark.conforms("VD-anything")
@FUZZ
@given(body=BODY)
def test_any_object_in_a_body(shop: Shop, company: Company, body: dict[str, Any]) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    assert_json_answer(shop.post(URL, {"phone": "1", **body}))
    assert_json_answer(shop.put(url, body))
    assert_json_answer(shop.get(url))
    assert_json_answer(shop.get(URL))


@pytest.mark.conforms("VD-anything")
@FUZZ
@given(raw=st.binary(max_size=200) | VALUE.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_in_a_body(shop: Shop, company: Company, raw: bytes) -> None:
    assert_json_answer(shop.post(URL, raw))
    assert_json_answer(shop.put(f"{URL}/{make_call_request(company).pk}", raw))


@pytest.mark.conforms("VD-anything")
@FUZZ
@given(
    query=st.dictionaries(
        st.sampled_from(PARAMS), st.integers().map(str) | st.text(st.characters(codec="utf-8"), max_size=40), max_size=5
    ),
)
def test_any_query_string(shop: Shop, company: Company, query: dict[str, str]) -> None:
    make_call_request(company, name="João")

    assert_json_answer(shop.get(URL, query))
