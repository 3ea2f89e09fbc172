"""A question to the database as a value, so that who needs the answers to several can ask them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from callcenter.lib.database import rows_of, rows_of_each

T = TypeVar("T")


class Question(NamedTuple, Generic[T]):
    """A SELECT written by hand, as `rows_of` takes it, and what its rows mean."""

    sql: str
    params: Sequence[Any]
    read: Callable[[list[dict[str, Any]]], T]


def answer_to(question: Question[T]) -> T:
    """What the question's rows mean. One query."""
    return question.read(rows_of(question.sql, question.params))


def answers_to(*questions: Question[Any]) -> list[Any]:
    """What each question's rows mean, in their order; asked as `rows_of_each` does it."""
    found = rows_of_each([(one.sql, one.params) for one in questions])
    return [one.read(rows) for one, rows in zip(questions, found, strict=True)]
