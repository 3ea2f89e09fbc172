"""Writing many rows at once by one prepared statement, whose text is made once a process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import connection

from callcenter.lib.database import as_list, is_postgresql, write_prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import Model


def change_rows(
    model: type[Model],
    ids: Sequence[int],
    *,
    expected: Mapping[str, Any],
    changes: Mapping[str, Any],
    each: Mapping[str, Sequence[Any]] | None = None,
) -> int:
    """How many of these rows, by id, had what was expected in their columns and were given what they change to.

    `each` = columns of which every row gets a value of its own, in the order of the ids: texts or numbers. Columns are
    attribute names. One UPDATE on PostgreSQL.
    """
    if not ids:
        return 0
    own = each or {}
    sql = _update(model, tuple(changes), tuple(own), tuple(expected))
    same, guards = _values(model, changes), _values(model, expected)
    if is_postgresql():
        return write_prepared(sql, [*same, as_list(ids), *map(as_list, own.values()), *guards])
    with connection.cursor() as cursor:
        cursor.executemany(sql, [[*same, *row, pk, *guards] for pk, *row in zip(ids, *own.values(), strict=True)])
        return int(cursor.rowcount)


def insert_for_each(model: type[Model], column: str, ids: Sequence[int], **values: Any) -> None:
    """Nothing; for each of these ids there is a new row that has it in this column, and these values as all have.

    Columns are attribute names; one that is left out gets its field's default. One INSERT, and none for no ids.
    """
    if ids:
        sql, defaults = _insert(model, column, tuple(values))
        write_prepared(sql, [*_values(model, values), *defaults, as_list(ids)])


@cache
def _update(model: type[Model], changes: tuple[str, ...], own: tuple[str, ...], expected: tuple[str, ...]) -> str:
    table = model._meta.db_table
    sets = [f"{_column(model, name)} = %s" for name in changes]
    guards = [f"{table}.{_column(model, name)} = %s" for name in expected]
    if not is_postgresql():
        sets += [f"{_column(model, name)} = %s" for name in own]
        return f"UPDATE {table} SET {', '.join(sets)} WHERE {' AND '.join(['id = %s', *guards])}"
    named = ", ".join(["id", *(f"c{place}" for place in range(len(own)))])
    arrays = ", ".join(["%s::bigint[]", *(f"%s::{_kind(model, name)}[]" for name in own)])
    sets += [f"{_column(model, name)} = given.c{place}" for place, name in enumerate(own)]
    where = " AND ".join([f"{table}.id = given.id", *guards])
    return f"UPDATE {table} SET {', '.join(sets)} FROM unnest({arrays}) AS given({named}) WHERE {where}"


@cache
def _insert(model: type[Model], column: str, given: tuple[str, ...]) -> tuple[str, list[Any]]:
    left_out = {
        field.attname: field.get_default()
        for field in model._meta.concrete_fields
        if not field.primary_key and field.attname not in {column, *given}
    }
    defaults = {name: value for name, value in left_out.items() if value is not None}
    names = [*given, *defaults]
    columns = ", ".join(_column(model, name) for name in (*names, column))
    if is_postgresql():
        values = ", ".join(f"%s::{_kind(model, name)}" for name in names)
        source = f"SELECT {values}, given.id FROM unnest(%s::bigint[]) AS given(id)"
    else:
        source = f"SELECT {', '.join(['%s'] * len(names))}, value FROM json_each(%s)"
    return f"INSERT INTO {model._meta.db_table} ({columns}) {source}", _values(model, defaults)


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(_field(model, name).column)


def _kind(model: type[Model], name: str) -> str:
    return str(_field(model, name).rel_db_type(connection))


def _values(model: type[Model], given: Mapping[str, Any]) -> list[Any]:
    """The values as the driver takes them."""
    return [_field(model, name).get_db_prep_save(value, connection) for name, value in given.items()]
