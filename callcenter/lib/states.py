"""Moving a row from state to state by compare-and-set, in step with its table of allowed moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from callcenter.lib.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.db.models import Model


class InvalidMove(DomainError):
    """The table of moves has no arrow between the two states: a programming error, never retried."""

    code = "invalid_move"


def require_move(moves: Mapping[str, frozenset[str]], source: str, to: str, *, of: str) -> None:
    """Nothing, when the table of moves has that arrow.

    Errors: `InvalidMove`.
    """
    if to not in moves.get(source, frozenset()):
        raise InvalidMove(f"{of}: {source} -> {to}")


def transition(
    row: Model,
    to: str,
    *,
    moves: Mapping[str, frozenset[str]],
    expected: Iterable[str],
    record: Callable[[str, str], None],
    field: str = "state",
    guard: Mapping[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Whether this caller moved `row` to state `to`; False means that somebody else moved it first.

    The row in memory takes over the new values only when the move was made.

    Shape: `moves` maps a state to the states it may go to; `expected` are the states the caller believes in;
    `guard` are further column conditions (a claim token, say); `changes` are columns set with the move.
    Errors: `InvalidMove` when the table forbids expected → to.
    Effects: one UPDATE; `record(from, to)` is called in the same transaction and writes the ledger row.
    """
    model = type(row)
    for source in expected:
        require_move(moves, source, to, of=model.__name__)
    with transaction.atomic():
        for source in expected:
            condition = {"pk": row.pk, field: source, **(guard or {})}
            if model._default_manager.filter(**condition).update(**{field: to, **changes}):
                record(source, to)
                break
        else:
            return False
    setattr(row, field, to)
    for name, value in changes.items():
        setattr(row, name, value)
    return True
