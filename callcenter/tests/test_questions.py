"""Questions asked together are answered each by itself, in their order, and fail as any other."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from callcenter.accounts.models import Company
from callcenter.lib.batches import change_rows
from callcenter.lib.database import any_of, as_list
from callcenter.lib.questions import Question, answer_to, answers_to

pytestmark = pytest.mark.django_db(transaction=True)


def names_of(*ids: int) -> Question[list[str]]:
    """The names of these companies."""
    return Question(
        f"SELECT name FROM accounts_company WHERE {any_of('id')} ORDER BY id",
        [as_list(ids)],
        lambda rows: [row["name"] for row in rows],
    )


def test_each_is_answered_by_itself() -> None:
    first, second = (Company.objects.create(name=name).pk for name in ("A", "B"))
    for _ in range(4):
        # Prepared from the third time on.
        with transaction.atomic():
            assert answers_to(names_of(first, second), names_of(0), names_of(second)) == [["A", "B"], [], ["B"]]
            assert answer_to(names_of(first)) == ["A"]


def test_one_that_fails_fails_all_and_the_connection_goes_on() -> None:
    company = Company.objects.create(name="A")
    broken: Question[None] = Question("SELECT 1 FROM there_is_no_such_table", [], lambda _rows: None)
    with transaction.atomic():
        change_rows(Company, [company.pk], expected={}, changes={"name": "B"})
        with pytest.raises(DatabaseError):
            answers_to(names_of(company.pk), broken, names_of(company.pk))
        transaction.set_rollback(True)
    with transaction.atomic():
        assert answers_to(names_of(company.pk), names_of(0)) == [["A"], []]
