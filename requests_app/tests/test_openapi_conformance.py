"""What the OpenAPI document promises, asked of the API with made-up requests: no 5xx, no answer outside the document.

Requests that fit the document and requests that break it are made from it by schemathesis, the same ones in every run.
Whether each odd request is refused is not asked here: CS-Cart tolerates much that its own document would not allow.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from callcenter.wsgi import application
from requests_app.dialects.cscart import wire
from requests_app.dialects.cscart.requests import numeric_id
from requests_app.tests.api import Shop, basic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
]
UNLIMITED = [
    "API_CALLS_PER_MINUTE_PER_KEY",
    "API_CALLS_PER_MINUTE_PER_ADDRESS",
    "FAILED_LOGINS_PER_ADDRESS_AND_EMAIL",
    "FAILED_LOGINS_PER_ADDRESS",
]


# The document, as the program itself serves it.
schema = schemathesis.openapi.from_wsgi("/api/schema/", application)


@pytest.fixture(autouse=True)
def _in_this_transaction(db: None, settings: Any) -> Iterator[None]:
    """The program runs in this process and in the test's transaction, and nobody's calls are counted."""
    for name in UNLIMITED:
        setattr(settings, name, 0)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def company(db: None) -> Company:
    """A company with somebody who may be made responsible."""
    company = make_company()
    make_attendant(company)
    return company


@pytest.fixture
def header(company: Company) -> str:
    """The credentials of the company's shop."""
    shop = Shop(make_user(company))
    return basic(shop.user.email, shop.key)


@pytest.mark.conforms("CS-openapi", "VD-openapi")
@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_to_the_document(case: Case[Any], company: Company, header: str) -> None:
    odd = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode()) % 2 == 1
    # Half of the requests name a row that exists: a made-up number never would. 0 is no id, but the list.
    if "request_id" in case.path_parameters and (odd or numeric_id(str(case.path_parameters["request_id"])) == 0):
        case.path_parameters["request_id"] = make_call_request(company).pk
    # Half of them have no key: the same few are made up again and again, and were used for another body then.
    if odd:
        case.headers.pop("Idempotency-Key", None)

    case.call_and_validate(headers={"Authorization": header}, checks=CHECKS)


def test_an_answer_outside_the_document_is_noticed(
    company: Company, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = schema["/api/2.0/call_requests/{request_id}"]["GET"].Case(
        path_parameters={"request_id": make_call_request(company).pk}
    )
    case.call_and_validate(headers={"Authorization": header}, checks=CHECKS)
    monkeypatch.setattr(wire, "item", lambda row, *_more: {"request_id": row["id"]})

    with pytest.raises(FailureGroup, match="violates schema"):
        case.call_and_validate(headers={"Authorization": header}, checks=CHECKS)
