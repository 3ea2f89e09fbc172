"""Kept counts: whoever writes, and however many at once, the numbers kept are those that counting finds."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.tests.factories import make_attendant, make_call_request, make_company
from requests_app.models import CallRequest, KeptCount, KeptWeek
from requests_app.models.counting import differences, ensure_counting, remove_counting
from requests_app.states import Status

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def kept(**key: Any) -> int:
    """The number kept for a part of the key."""
    return KeptCount.objects.filter(**key).aggregate(number=Sum("number"))["number"] or 0


@pytest.fixture
def company(db: None) -> Company:
    """A company."""
    return make_company()


def test_each_way_to_write_is_counted(company: Company) -> None:
    attendant, other = make_attendant(), make_company()
    first = make_call_request(company)
    CallRequest.objects.bulk_create(CallRequest(company=company, name=str(n)) for n in range(5))
    CallRequest.objects.filter(name__in=["0", "1"]).update(status=Status.COMPLETED, responsible=attendant)
    CallRequest.objects.filter(name="2").update(company=other)
    CallRequest.objects.filter(name="3").delete()
    first.status = Status.NO_ANSWER
    first.save(update_fields=["status"])
    CallRequest.objects.filter(name="4").update(attempts=F("attempts") + 1)

    assert differences(connection) == []
    assert kept() == 5
    assert kept(company_id=company.pk) == 4
    assert kept(status=Status.COMPLETED, responsible_id=attendant.pk) == 2
    assert kept(status=Status.NO_ANSWER, responsible_id=0) == 1


def test_who_leaves_takes_nobody_out_of_the_count(company: Company) -> None:
    attendant = make_attendant(company)
    make_call_request(company, responsible_id=attendant.pk)
    assert kept(responsible_id=attendant.pk) == 1

    attendant.delete()

    assert kept(responsible_id=attendant.pk) == 0
    assert kept(responsible_id=0) == 1
    assert differences(connection) == []


def test_what_is_rolled_back_was_never_counted(company: Company) -> None:
    make_call_request(company)
    with transaction.atomic():
        make_call_request(company)
        CallRequest.objects.update(status=Status.COMPLETED)
        transaction.set_rollback(True)

    assert kept() == kept(status=Status.NEW) == 1
    assert differences(connection) == []


@pytest.mark.parametrize(
    ("at", "week"),
    [
        (MONDAY - timedelta(microseconds=1), "2025-12-29"),
        (MONDAY, "2026-01-05"),
        (MONDAY + timedelta(days=6, hours=23, minutes=59, microseconds=1), "2026-01-05"),
        (MONDAY + timedelta(days=7), "2026-01-12"),
    ],
)
def test_a_week_runs_from_monday_to_sunday_in_utc(company: Company, at: datetime, week: str) -> None:
    make_call_request(company, requested_at=at)

    assert [(str(row.week), row.number) for row in KeptWeek.objects.all()] == [(week, 1)]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["make", "bulk", "status", "company", "responsible", "date", "nothing", "delete", "undo"]),
        st.integers(0, 1000),
    ),
    max_size=30,
)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_any_order_of_writes_leaves_the_numbers_right(moves: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        companies = [make_company(), make_company()]
        people = [None, make_attendant(), make_attendant()]
        for move, seed in moves:
            point = transaction.savepoint()
            _make_move(move, random.Random(seed), companies, people)
            if move == "undo":
                transaction.savepoint_rollback(point)
            assert differences(connection) == [], move
        transaction.set_rollback(True)


def _make_move(move: str, chance: random.Random, companies: list[Any], people: list[Any]) -> None:
    rows = CallRequest.objects.filter(pk__in=CallRequest.objects.order_by("?").values("pk")[: chance.randint(0, 5)])
    values: dict[str, Any] = {
        "status": {"status": chance.choice(Status.values)},
        "company": {"company": chance.choice(companies)},
        "responsible": {"responsible": chance.choice(people)},
        "date": {"requested_at": MONDAY + timedelta(hours=chance.randint(-500, 500))},
        "nothing": {"notes": "x", "status": F("status")},
        "undo": {"status": Status.COMPLETED},
    }
    if move in values:
        rows.update(**values[move])
    elif move == "delete":
        rows.delete()
    else:
        new = range(1 if move == "make" else 40)
        CallRequest.objects.bulk_create(
            CallRequest(company=chance.choice(companies), status=chance.choice(Status.values), responsible=people[1])
            for _number in new
        )


@pytest.mark.django_db(transaction=True)
def test_eight_writers_at_once_do_not_deadlock_and_miscount_nothing() -> None:
    companies = [make_company(), make_company()]
    people = [make_attendant(), make_attendant(), None]
    failures: list[BaseException] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _number in range(30):
                with transaction.atomic():
                    # Several moves in one transaction, in an order of each one's own: what deadlocks counter rows.
                    for _move in range(3):
                        CallRequest.objects.create(company=chance.choice(companies), responsible=chance.choice(people))
                        own = CallRequest.objects.filter(name="", pk__gt=0, attempts=seed)
                        own.update(status=chance.choice(Status.values))
                        CallRequest.objects.create(company=chance.choice(companies), attempts=seed)
                    if chance.random() < 0.2:
                        transaction.set_rollback(True)
        except BaseException as error:  # noqa: BLE001 - the thread's failure is the test's
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert failures == []
    assert differences(connection) == []


@pytest.mark.django_db
def test_many_small_changes_add_up(company: Company) -> None:
    CallRequest.objects.bulk_create(CallRequest(company=company) for _number in range(300))
    for row in CallRequest.objects.all()[:250]:
        CallRequest.objects.filter(pk=row.pk).update(status=Status.COMPLETED)

    assert kept(status=Status.COMPLETED) == 250
    assert kept(status=Status.NEW) == 50


@pytest.mark.django_db
def test_parts_are_folded_so_that_a_sum_stays_short(company: Company) -> None:
    for _number in range(1500):
        CallRequest.objects.create(company=company)

    # By chance about every hundredth writer folds; that none of these does happens once in three million runs.
    assert KeptCount.objects.count() < 1500
    assert kept() == 1500
    assert differences(connection) == []


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_counts_from_zero() -> None:
    make_call_request(make_company())
    call_command("flush", interactive=False, verbosity=0)
    make_call_request(make_company())

    assert kept() == 1
    assert differences(connection) == []


@pytest.mark.django_db(transaction=True)
def test_triggers_that_a_migration_lost_are_made_again_when_it_ends() -> None:
    remove_counting(connection)
    make_call_request(make_company())
    assert differences(connection) != []

    call_command("migrate", verbosity=0)

    assert differences(connection) == []
    with transaction.atomic():
        assert not ensure_counting(connection), "nothing was left to do"


@pytest.mark.django_db(transaction=True)
def test_a_remade_table_is_counted_on() -> None:
    field = CallRequest._meta.get_field("notes")
    with connection.schema_editor() as editor:
        editor.alter_field(CallRequest, field, field, strict=True)
        # What SQLite does for many a change of a column.
        if connection.vendor == "sqlite":
            editor._remake_table(CallRequest)  # type: ignore[attr-defined]  # SQLite's editor only
    call_command("migrate", verbosity=0)

    make_call_request(make_company())

    assert kept() == 1


def test_the_command_finds_and_mends_a_wrong_number(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    make_call_request(company)
    KeptCount.objects.update(number=7)

    with pytest.raises(CommandError):
        call_command("recount_call_requests", check=True)
    assert "kept 7, counted 1" in capsys.readouterr().out
    call_command("recount_call_requests")
    call_command("recount_call_requests", check=True)

    assert kept() == 1
