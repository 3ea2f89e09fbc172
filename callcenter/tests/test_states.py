"""A row's state is moved by compare-and-set, in step with the table of moves, with its ledger row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from callcenter.lib.database import for_claim, for_update, is_postgresql, serialize
from callcenter.lib.states import InvalidMove, transition
from callcenter.tests.factories import make_call_request, make_company
from requests_app.models import CallRequest

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

MOVES = {"new": frozenset({"in_progress"}), "in_progress": frozenset({"completed", "no_answer"})}


@pytest.fixture
def row(db: None) -> CallRequest:
    return make_call_request(make_company())


def move(row: CallRequest, to: str, *expected: str, ledger: list[tuple[str, str]], **changes: Any) -> bool:
    return transition(
        row, to, moves=MOVES, expected=expected, record=lambda *step: ledger.append(step), field="status", **changes
    )


def test_a_move_changes_the_row_the_object_and_the_ledger(row: CallRequest) -> None:
    ledger: list[tuple[str, str]] = []
    assert move(row, "in_progress", "new", ledger=ledger, attempts=1)
    stored = CallRequest.objects.get(pk=row.pk)
    assert (stored.status, stored.attempts) == (row.status, row.attempts) == ("in_progress", 1)
    assert ledger == [("new", "in_progress")]


def test_the_second_of_two_that_want_the_same_move_is_told_so(row: CallRequest) -> None:
    ledger: list[tuple[str, str]] = []
    slower = CallRequest.objects.get(pk=row.pk)
    assert move(row, "in_progress", "new", ledger=ledger)
    assert not move(slower, "in_progress", "new", ledger=ledger, attempts=9)
    assert (slower.status, slower.attempts) == ("new", 0)
    assert CallRequest.objects.get(pk=row.pk).attempts == 0
    assert len(ledger) == 1


def test_the_table_forbids_what_it_does_not_draw(row: CallRequest) -> None:
    with pytest.raises(InvalidMove, match="new -> completed"):
        move(row, "completed", "new", ledger=[])
    assert CallRequest.objects.get(pk=row.pk).status == "new"


def test_a_ledger_that_can_not_be_written_leaves_the_row_where_it_was(row: CallRequest) -> None:
    def broken(_source: str, _to: str) -> None:
        raise RuntimeError("no ledger")

    with pytest.raises(RuntimeError):
        transition(row, "in_progress", moves=MOVES, expected=["new"], record=broken, field="status")
    assert row.status == "new"
    assert CallRequest.objects.get(pk=row.pk).status == "new"


def test_a_guard_that_no_longer_holds_stops_the_move(row: CallRequest) -> None:
    moved = transition(
        row,
        "in_progress",
        moves=MOVES,
        expected=["new"],
        record=lambda _source, _to: None,
        field="status",
        guard={"attempts": 7},
    )
    assert not moved
    assert row.status == "new"


def test_the_first_of_several_expected_states_that_fits_is_recorded(row: CallRequest) -> None:
    ledger: list[tuple[str, str]] = []
    moves = {"in_progress": frozenset({"completed"}), "new": frozenset({"completed"})}
    assert transition(
        row,
        "completed",
        moves=moves,
        expected=["in_progress", "new"],
        record=lambda *step: ledger.append(step),
        field="status",
    )
    assert ledger == [("new", "completed")]


@pytest.mark.django_db(transaction=True)
def test_a_named_lock_needs_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        serialize("directcall-token:1")
    with transaction.atomic():
        serialize("directcall-token:1")


def test_rows_can_be_locked_on_both_databases(
    row: CallRequest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2) as captured:
        assert for_update(CallRequest.objects.filter(pk=row.pk)).get() == row
        assert for_claim(CallRequest.objects.filter(pk=row.pk)).get() == row
    locking = ["FOR UPDATE" in query["sql"] for query in captured.captured_queries]
    skipping = ["SKIP LOCKED" in query["sql"] for query in captured.captured_queries]
    assert locking == [is_postgresql(), is_postgresql()]
    assert skipping == [False, is_postgresql()]
    assert connection.vendor in {"postgresql", "sqlite"}
