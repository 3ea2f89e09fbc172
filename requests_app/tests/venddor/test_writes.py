"""What POST and PUT store, how states and priorities are translated, and what is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.models import CallRequest, LedgerEntry
from requests_app.tests.api import Shop, assert_error, stranger_id

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

URL = "/venddor/api/2.0/call_requests"


@pytest.mark.conforms("VD-absent", "VD-phone")
def test_a_phone_is_enough(shop: Shop) -> None:
    answer = shop.post(URL, {"phone": "+7(999)111-22-33"})

    body = answer.json()
    assert answer.status_code == 201
    assert list(body) == [
        "id", "phone", "name", "request_time", "created_at", "notes", "status", "priority", "assignee_id",
    ]  # fmt: skip
    assert {**body, "id": 0, "created_at": ""} == {
        "id": 0,
        "phone": "+7(999)111-22-33",
        "name": "",
        "request_time": None,
        "created_at": "",
        "notes": None,
        "status": "pending",
        "priority": "normal",
        "assignee_id": None,
    }


@pytest.mark.conforms("VD-other-fields", "VD-phone")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": ""},
        {"phone": " \t"},
        {"phone": "0"},
        {"phone": 0},
        {"phone": None},
        {"name": "x", "email": "a@example.com"},
    ],
)
def test_a_phone_is_required(shop: Shop, body: dict[str, Any]) -> None:
    assert_error(shop.post(URL, body), 400, "Bad Request: phone: ")
    assert not CallRequest.objects.exists()


@pytest.mark.conforms("VD-phone")
def test_a_phone_can_not_be_taken_away(shop: Shop, company: Company) -> None:
    for nothing in ["", "  ", None]:
        answer = shop.put(f"{URL}/{make_call_request(company).pk}", {"phone": nothing})
        assert_error(answer, 400, "Bad Request: phone: ")


@pytest.mark.conforms("VD-priority")
@pytest.mark.parametrize("word", ["low", "normal", "high", "urgent"])
def test_every_priority(shop: Shop, word: str) -> None:
    assert shop.post(URL, {"phone": "1", "priority": word}).json()["priority"] == word
    assert CallRequest.objects.get().get_priority_display() in {"Baixa", "Normal", "Alta", "Urgente"}


@pytest.mark.conforms("VD-status")
@pytest.mark.parametrize(
    ("sent", "stored", "shown"),
    [
        ("pending", "new", "pending"),
        ("new", "new", "pending"),
        ("in_progress", "in_progress", "pending"),
        ("no_answer", "no_answer", "pending"),
        ("completed", "completed", "completed"),
    ],
)
def test_every_status_of_a_new_request(shop: Shop, sent: str, stored: str, shown: str) -> None:
    body = shop.post(URL, {"phone": "1", "status": sent}).json()

    assert body["status"] == shown
    assert ("completed_at" in body) == (shown == "completed")
    assert CallRequest.objects.get().status == stored
    assert shop.get(f"/api/2.0/call_requests/{body['id']}").json()["status"] == stored


@pytest.mark.conforms("VD-absent", "VD-pending")
@pytest.mark.parametrize(
    ("before", "after"),
    [("new", "new"), ("in_progress", "in_progress"), ("no_answer", "no_answer"), ("completed", "new")],
)
def test_pending_keeps_an_open_request_as_it_is_and_opens_a_completed_one(
    shop: Shop, company: Company, before: str, after: str
) -> None:
    call_request = make_call_request(company, status=before)

    body = shop.put(f"{URL}/{call_request.pk}", {"status": "pending"}).json()

    assert body["status"] == "pending"
    assert "completed_at" not in body
    assert CallRequest.objects.get().status == after


@pytest.mark.conforms("VD-completed-at")
def test_completing_without_a_time_completes_now(shop: Shop, company: Company) -> None:
    body = shop.put(f"{URL}/{make_call_request(company).pk}", {"status": "completed"}).json()

    assert body["completed_at"] == body["updated_at"]


@pytest.mark.conforms("VD-completed-at")
@pytest.mark.parametrize("body", [{}, {"status": "pending"}, {"status": "no_answer"}])
def test_a_completion_time_needs_a_completed_request(shop: Shop, company: Company, body: dict[str, str]) -> None:
    call_request = make_call_request(company)
    sent = {**body, "completed_at": "2025-04-17T15:45:22Z"}

    assert_error(shop.put(f"{URL}/{call_request.pk}", sent), 400, "Bad Request: completed_at: ")
    assert_error(shop.post(URL, {"phone": "1", **sent}), 400, "Bad Request: completed_at: ")


@pytest.mark.conforms("VD-completed-at")
def test_the_completion_time_of_a_completed_request_can_be_corrected(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, status="completed")

    body = shop.put(f"{URL}/{call_request.pk}", {"completed_at": "2025-04-17T12:45:22-03:00"}).json()

    assert body["completed_at"] == "2025-04-17T15:45:22Z"
    assert shop.put(f"{URL}/{call_request.pk}", {"completed_at": None}).json()["completed_at"] == "2025-04-17T15:45:22Z"


@pytest.mark.conforms("VD-instants", "VD-request-time")
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2025-04-17T14:30:00Z", "2025-04-17T14:30:00Z"),
        ("2025-04-17T11:30:00-03:00", "2025-04-17T14:30:00Z"),
        ("2025-04-17T14:30:00.987Z", "2025-04-17T14:30:00Z"),
        ("2025-04-17t14:30z", "2025-04-17T14:30:00Z"),
        (None, None),
    ],
)
def test_instants(shop: Shop, sent: str | None, shown: str | None) -> None:
    assert shop.post(URL, {"phone": "1", "request_time": sent}).json()["request_time"] == shown


@pytest.mark.conforms("VD-instants")
@pytest.mark.parametrize("field", ["request_time", "completed_at"])
@pytest.mark.parametrize(
    "value",
    [
        "2025-04-17T14:30:00",
        "2025-04-17",
        "2025-04-17 14:30:00Z",
        "17/04/2025 14:30",
        "2025-02-30T14:30:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "",
        1744900200,
        True,
        [],
        {},
    ],
)
def test_an_instant_that_is_none_or_lacks_its_zone_is_refused_with_a_sample(shop: Shop, field: str, value: Any) -> None:
    answer = shop.post(URL, {"phone": "1", "status": "completed", field: value})

    assert_error(answer, 400, f"Bad Request: {field}: ", "2025-04-17T14:30:00Z")


@pytest.mark.conforms("VD-assignee")
@pytest.mark.parametrize("kind", ["unknown", "foreign", "inactive"])
def test_an_assignee_who_is_no_attendant_of_the_company_is_refused_by_name(
    shop: Shop, company: Company, kind: str
) -> None:
    stranger = stranger_id(kind, company)
    call_request = make_call_request(company, name="Ana")

    assert_error(shop.post(URL, {"phone": "1", "assignee_id": stranger}), 400, "Bad Request: assignee_id: ")
    assert_error(
        shop.put(f"{URL}/{call_request.pk}", {"assignee_id": stranger, "name": "x"}), 400, "Bad Request: assignee_id: "
    )
    assert CallRequest.objects.get().name == "Ana"


@pytest.mark.conforms("VD-assignee")
@pytest.mark.parametrize("nobody", [None, 0])
def test_an_assignee_is_set_and_taken_away(shop: Shop, company: Company, nobody: Any) -> None:
    attendant = make_attendant(company)
    url = f"{URL}/{make_call_request(company).pk}"

    assert shop.put(url, {"assignee_id": attendant.pk}).json()["assignee_id"] == attendant.pk
    assert shop.put(url, {"assignee_id": nobody}).json()["assignee_id"] is None


@pytest.mark.conforms("VD-bad-values")
@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("status", "done", "pending, new, in_progress, completed, no_answer"),
        ("status", None, ""),
        ("status", 1, "pending"),
        ("priority", "highest", "low, normal, high, urgent"),
        ("priority", 2, "low"),
        ("priority", None, ""),
        ("name", "x" * 251, "250"),
        ("name", "x" * 1_000_000, "250"),
        ("name", ["x"], ""),
        ("name", "a\x00b", ""),
        ("notes", "a\ud800b", ""),
        ("notes", "x" * 100_001, "100000"),
        ("phone", "x" * 129, "128"),
        ("assignee_id", "abc", "0 a "),
        ("assignee_id", 10**30, "0 a "),
        ("assignee_id", -1, "0 a "),
    ],
)
def test_bad_values_are_refused_by_name(shop: Shop, company: Company, field: str, value: Any, allowed: str) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    for answer in [shop.post(URL, {"phone": "1", field: value}), shop.put(url, {field: value})]:
        assert_error(answer, 400, f"Bad Request: {field}: ", allowed)
    assert CallRequest.objects.count() == 1


@pytest.mark.conforms("VD-put-partial")
def test_put_changes_only_what_is_sent(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, name="Ana", notes="a", wanted_at=datetime(2025, 1, 1, tzinfo=UTC))
    url = f"{URL}/{call_request.pk}"
    before = shop.get(url).json()

    after = shop.put(url, {"name": "Bia"}).json()

    assert "updated_at" not in before
    assert after.pop("updated_at")
    assert after == {**before, "name": "Bia"}


@pytest.mark.conforms("VD-other-fields", "VD-put-partial", "VD-unknown-keys")
def test_a_put_that_changes_nothing_answers_the_request_and_writes_nothing(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, name="Ana")
    entries = LedgerEntry.objects.count()

    for body in [{}, {"name": "Ana"}, {"id": 5, "created_at": "x", "zzz": 1, "company_id": 999}]:
        answer = shop.put(f"{URL}/{call_request.pk}", body)
        assert answer.status_code == 200
        assert "updated_at" not in answer.json()
    assert LedgerEntry.objects.count() == entries


@pytest.mark.conforms("VD-delete-busy")
def test_a_request_whose_call_is_in_flight_is_not_deleted(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)
    CallRequest.objects.update(in_flight=True, due_at=None)

    assert_error(shop.delete(f"{URL}/{call_request.pk}"), 409, "Conflict: ")
    assert CallRequest.objects.exists()


@pytest.mark.conforms("VD-company")
def test_a_key_of_several_companies_must_say_which(company: Company) -> None:
    other = make_company()
    shop = Shop(make_user(company, other))

    assert_error(shop.post(URL, {"phone": "1"}), 400, "Bad Request: company_id: ", f"{company.pk}, {other.pk}")
    assert shop.post(URL, {"phone": "1", "company_id": other.pk}).status_code == 201
    assert CallRequest.objects.get().company == other
