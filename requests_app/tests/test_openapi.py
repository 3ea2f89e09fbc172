"""The OpenAPI document and its viewer: both dialects are in it, its samples and our answers keep to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import openapi_spec_validator
import pytest
import yaml
from django.test import Client

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.tests.api import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

CSCART = "/api/2.0/call_requests"
VENDDOR = "/venddor/api/2.0/call_requests"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as it is served."""
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    parsed: dict[str, Any] = yaml.safe_load(answer.content)
    return parsed


def conforms(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Nothing, when the value is what the schema says."""
    jsonschema.validate(value, {**schema, "components": document["components"]})


def samples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Where, schema and value of every sample in the document."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            messages = {"request": operation.get("requestBody", {}), **operation["responses"]}
            for name, message in messages.items():
                for media in message.get("content", {}).values():
                    for sample in media.get("examples", {}).values():
                        yield f"{method} {path} {name}", media["schema"], sample["value"]


@pytest.mark.conforms("CS-openapi", "VD-openapi")
def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    openapi_spec_validator.validate(document)


def test_both_dialects_are_in_it_with_every_operation_and_the_way_to_log_in(document: dict[str, Any]) -> None:
    for path, item in [(CSCART, f"{CSCART}/{{request_id}}"), (VENDDOR, f"{VENDDOR}/{{request_id}}")]:
        assert set(document["paths"][path]) == {"get", "post"}
        assert set(document["paths"][item]) == {"get", "put", "delete"}
        for operation in [*document["paths"][path].values(), *document["paths"][item].values()]:
            assert operation["security"] == [{"ApiKey": []}]
            assert "401" in operation["responses"]
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "basic"


@pytest.mark.conforms("CS-openapi", "VD-openapi")
def test_its_samples_are_those_of_the_vendors_and_keep_to_its_schemas(document: dict[str, Any]) -> None:
    found = list(samples(document))

    for where, schema, value in found:
        try:
            conforms(document, schema, value)
        except jsonschema.ValidationError as error:
            pytest.fail(f"{where}: {error.message}")
    values = [value for _where, _schema, value in found]
    assert {"phone": "+7(999)111-22-33", "name": "Api"} in values
    assert {"status": "no_answer", "notes": "No answer"} in values
    assert {"request_id": "7"} in values
    assert any(isinstance(value, dict) and value.get("id") == 12345 for value in values)


@pytest.mark.django_db
def test_what_we_answer_keeps_to_it(document: dict[str, Any]) -> None:
    company = make_company()
    shop = Shop(make_user(company))
    call_request = make_call_request(
        company, cart_products=[{"product_id": 1}], notes="x", responsible_id=make_attendant(company).pk
    )
    shop.put(f"{VENDDOR}/{call_request.pk}", {"status": "completed", "request_time": "2025-04-17T14:30:00Z"})
    make_call_request(company)

    for base in [CSCART, VENDDOR]:
        for path, url in [
            (base, base),
            (f"{base}/{{request_id}}", f"{base}/{call_request.pk}"),
            (base, f"{base}?page=x"),
        ]:
            answer = shop.get(url)
            schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            conforms(document, schema, answer.json())
        missing = document["paths"][f"{base}/{{request_id}}"]["get"]["responses"]["404"]["content"]["application/json"]
        conforms(document, missing["schema"], shop.get(f"{base}/999999").json())


def test_the_viewer_has_no_script_or_style_of_its_own() -> None:
    page = Client().get("/api/docs/")

    assert page.status_code == 200
    assert b"<style" not in page.content
    assert page.content.count(b"<script") == page.content.count(b"<script src=")
