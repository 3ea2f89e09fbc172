"""What differs between PostgreSQL and SQLite, so that nothing else needs to ask."""

from __future__ import annotations

import json
import re
import uuid
import zlib
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import Q

from callcenter.lib import lookups  # noqa: F401  whoever asks the database may ask by them
from callcenter.lib.arrays import PLAIN, array_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model, QuerySet

M = TypeVar("M", bound="Model")

# Up to so many values that are costly to write are written once, however many rows share them.
_FEW: Final = 100


@cache
def is_postgresql() -> bool:
    """Whether the default database is PostgreSQL (else it is SQLite)."""
    return connection.vendor == "postgresql"


def for_update(queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows locked until the transaction ends, waiting for whoever holds them.

    On SQLite a transaction is the only writer from its first statement (IMMEDIATE), so the plain read is enough.
    """
    if is_postgresql():
        return queryset.select_for_update(of=("self",))
    return queryset


def for_claim(queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows locked until the transaction ends, those that somebody else is claiming left out."""
    if is_postgresql():
        return queryset.select_for_update(of=("self",), skip_locked=True)
    return queryset


def contains_any_case(field: str, text: str) -> Q:
    """The condition that the field has the text in it, in upper or lower case; no character is a wildcard.

    SQLite folds only ASCII in LIKE, so a text with other letters is compared by Python there.
    """
    if text.isascii() or is_postgresql():
        return Q(**{f"{field}__icontains": text})
    return Q(**{f"{field}__iregex": re.escape(text)})


def serialize(name: str) -> None:
    """Wait until no other transaction that asked for this name is open; held to the transaction's end.

    Errors: `TransactionManagementError` outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("serialize() needs a transaction")
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(name.encode())])


def sharing(name: str) -> tuple[str, Sequence[Any]]:
    """What to ask of `rows_of` to wait until nobody holds this name by `serialize`, and to keep it so to the commit.

    Others may share it. On SQLite, where a transaction is the only writer, it asks for nothing.
    """
    if is_postgresql():
        return "SELECT pg_advisory_xact_lock_shared(%s)", [zlib.crc32(name.encode())]
    return "SELECT 1", []


def server_identity() -> str:
    """PostgreSQL's system identifier and the timeline that it writes; empty on SQLite. One query.

    Another cluster has another identifier; a fail-over and a point-in-time recovery begin a new timeline.
    """
    if not is_postgresql():
        return ""
    with connection.cursor() as cursor:
        # The name of the file that is written now begins with the timeline; the control file learns of it later.
        cursor.execute(
            "SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
            " FROM pg_control_system()"
        )
        return str(cursor.fetchone()[0])


def rows_of(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """What a SELECT written by hand finds, by column; values as the driver gives them. One query.

    For the few places where the ORM takes longer to write the query than the database to answer it. On PostgreSQL what
    is asked often is prepared, which saves most of the planning.
    """
    with _preparing_cursor() as cursor:
        cursor.execute(sql, params)
        return _rows_in(cursor)


def rows_of_each(asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[dict[str, Any]]]:
    """What each of these finds, as `rows_of` says it; each is answered after the one before it.

    On PostgreSQL all of them go one way there and back, where a thread among many waits longer for the interpreter
    after each way than the database takes. Call inside a transaction.
    """
    own = connections[DEFAULT_DB_ALIAS]
    if own.vendor != "postgresql" or own.queries_logged:
        return [rows_of(sql, params) for sql, params in asked]
    cursors = [_preparing_cursor() for _one in asked]
    driver: Any = own.connection
    with own.wrap_database_errors, driver.pipeline():
        for cursor, (sql, params) in zip(cursors, asked, strict=True):
            cursor.execute(sql, params)
    return [_rows_in(cursor) for cursor in cursors]


def _rows_in(cursor: CursorWrapper) -> list[dict[str, Any]]:
    names = _column_names(cursor)
    return [dict(zip(names, row, strict=False)) for row in cursor.fetchall()]


def _column_names(cursor: Any) -> Sequence[str]:
    result = getattr(cursor, "pgresult", None)
    if result is None:
        return [column[0] for column in cursor.description]
    # The driver's description says much more of each column, and takes as long as reading ten rows.
    return [result.fname(place).decode() for place in range(result.nfields)]


def values_of(rows: QuerySet[Any, tuple[Any, ...]], *, is_prepared: bool = False) -> list[tuple[Any, ...]]:
    """What a `values_list` finds, as the driver reads it (in C, on PostgreSQL); for hundreds of rows. One query.

    `is_prepared`: planned once for whatever values come later, so that no partial index may depend on one of them.
    """
    if not is_postgresql():
        return list(rows)
    sql, params = rows.query.sql_with_params()
    with _preparing_cursor(psycopg.Cursor if is_prepared else _PlanningCursor) as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def look_up_by_index() -> None:
    """Nothing; until the transaction ends, PostgreSQL finds rows by an index that has them in order, one by one.

    For hundreds of rows out of tables that fill in bursts: statistics of a moment ago know nothing of these, and the
    plans that follow from them read and sort all that waits, or the whole table, for every batch. One query.
    """
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(_BY_INDEX)


_BY_INDEX: Final = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("bitmapscan", "hashjoin", "mergejoin")
)


def insert_rows(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """The ids of new rows with these values, in their order; one INSERT, and none for no rows.

    For the few places that write hundreds of rows at once, where building a model's objects takes longer than storing
    them. `columns` are attribute names (`line_id`); a column that is left out gets its field's default.
    """
    if not rows:
        return []
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    values: list[Sequence[Any]] = list(zip(*rows, strict=True))
    left_out = [
        field for field in model._meta.concrete_fields if not field.primary_key and field.attname not in columns
    ]
    # PostgreSQL makes its own, in a fraction of the time.
    random = [field for field in left_out if field.default is uuid.uuid4 and is_postgresql()]
    for field in left_out:
        if field not in random:
            fields.append(field)
            is_made = callable(field.default) and field.default is not dict
            values.append([field.get_default() for _row in rows] if is_made else [field.get_default()] * len(rows))
    names = ", ".join(connection.ops.quote_name(field.column) for field in (*fields, *random))
    source, params = _unnested(fields, values, made=len(random)) if is_postgresql() else _listed(fields, values)
    with _preparing_cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) {source} RETURNING id", params)
        return [row[0] for row in cursor.fetchall()]


def _unnested(fields: Sequence[Any], values: Sequence[Sequence[Any]], *, made: int) -> tuple[str, list[Any]]:
    """The rows from one array a column, and one value where all are the same; at the end `made` random UUIDs."""
    selected: list[str] = []
    arrays: list[str] = []
    constants: list[Any] = []
    varying: list[Any] = []
    for field, column in zip(fields, values, strict=True):
        kind = field.rel_db_type(connection)
        if column.count(column[0]) == len(column):
            selected.append(f"%s::{kind}")
            constants.append(_prepared(field, column[0]))
            continue
        place = f"c{len(arrays)}"
        distinct = (
            {} if type(column[0]) in PLAIN or isinstance(column[0], str) else {id(value): value for value in column}
        )
        if 0 < len(distinct) <= _FEW:
            # The few values once, and for each row which of them it is.
            selected.append(f"(%s::{kind}[])[{place}]")
            constants.append([_prepared(field, value) for value in distinct.values()])
            arrays.append("%s::int[]")
            nth = {key: number for number, key in enumerate(distinct, 1)}
            varying.append(array_of([nth[id(value)] for value in column]))
        else:
            selected.append(place)
            arrays.append(f"%s::{kind}[]")
            varying.append(_array_for(field, column))
    selected += ["gen_random_uuid()"] * made
    if not arrays:
        return f"SELECT {', '.join(selected)} FROM generate_series(1, %s)", [*constants, len(values[0])]
    named = ", ".join(f"c{place}" for place in range(len(arrays)))
    # In their order, so that the ids are.
    ordered = f"unnest({', '.join(arrays)}) WITH ORDINALITY AS given({named}, place) ORDER BY place"
    return f"SELECT {', '.join(selected)} FROM {ordered}", [*constants, *varying]


def _listed(fields: Sequence[Any], values: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    places = f"({', '.join(['%s'] * len(fields))})"
    params = [
        _prepared(field, value) for row in zip(*values, strict=True) for field, value in zip(fields, row, strict=True)
    ]
    return f"VALUES {', '.join([places] * len(values[0]))}", params


def _prepared(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def set_columns(model: type[Model], columns: Sequence[str], rows: Mapping[int, Sequence[Any]]) -> None:
    """Nothing; in each row, by id, these columns (attribute names) have its values. One UPDATE on PostgreSQL."""
    if not rows:
        return
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    table, quote = model._meta.db_table, connection.ops.quote_name
    if not is_postgresql():
        # Joined with a list in JSON, SQLite would read the list anew for each row of the table.
        given = [[*map(_prepared, fields, row), pk] for pk, row in rows.items()]
        named = ", ".join(f"{quote(field.column)} = %s" for field in fields)
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {table} SET {named} WHERE id = %s", given)
        return
    sets: list[str] = []
    arrays = ["%s::bigint[]"]
    constants: list[Any] = []
    varying: list[Any] = [array_of(list(rows))]
    for field, column in zip(fields, zip(*rows.values(), strict=True), strict=True):
        kind, name = field.rel_db_type(connection), quote(field.column)
        if column.count(column[0]) == len(column):
            sets.append(f"{name} = %s::{kind}")
            constants.append(_prepared(field, column[0]))
        else:
            sets.append(f"{name} = given.c{len(arrays)}")
            arrays.append(f"%s::{kind}[]")
            varying.append(_array_for(field, column))
    names = ", ".join(["id", *(f"c{place}" for place in range(1, len(arrays)))])
    source = f"unnest({', '.join(arrays)}) AS given({names})"
    with _preparing_cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {', '.join(sets)} FROM {source} WHERE {table}.id = given.id", [*constants, *varying]
        )


def _array_for(field: Any, column: Sequence[Any]) -> Any:
    """The column as a parameter: as it is where the driver takes it so, else as the field makes it."""
    if all(kind in PLAIN or issubclass(kind, str) for kind in set(map(type, column))):
        return array_of(column)
    return [_prepared(field, value) for value in column]


def any_of(column: str, kind: str = "bigint") -> str:
    """SQL, for `rows_of`: the column has one of the values of the parameter that `as_list` made; `kind` is its type."""
    return f"{column} = ANY(%s::{kind}[])" if is_postgresql() else f"{column} IN (SELECT value FROM json_each(%s))"


def as_list(values: Iterable[int | str | uuid.UUID]) -> Any:
    """These values as one parameter of `rows_of`, for `any_of`."""
    found = list(values)
    if is_postgresql():
        return array_of(found)
    return json.dumps([one.hex if isinstance(one, uuid.UUID) else one for one in found])


def row_lock(table: str) -> str:
    """SQL, for `rows_of`: the end of a SELECT whose rows of that table stay locked, as by `for_update`."""
    return f" FOR UPDATE OF {table}" if is_postgresql() else ""


def write_prepared(sql: str, params: Sequence[Any] = ()) -> int:
    """How many rows an INSERT or UPDATE written by hand made or changed; prepared as `rows_of` does it."""
    with _preparing_cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def known_row(model: type[M], **values: Any) -> M:
    """The stored row of which these columns are known; any other is read when it is asked for."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(DEFAULT_DB_ALIAS, names, [values[name] for name in names])


def _preparing_cursor(kind: type[psycopg.Cursor[Any]] = psycopg.Cursor) -> CursorWrapper:
    """A cursor as Django's own; on PostgreSQL one that sends the parameters apart, as prepared statements need it."""
    # Django's `connection` looks for the thread's own at every attribute.
    own = connections[DEFAULT_DB_ALIAS]
    # The log of queries wants to show them with their parameters.
    if own.vendor != "postgresql" or own.queries_logged:
        return own.cursor()
    own.close_if_health_check_failed()
    own.ensure_connection()
    # Any: Django's stubs call the driver's cursor by the wrapper's name.
    cursor: Any = kind(own.connection)
    # Read without parsing text.
    cursor.format = psycopg.pq.Format.BINARY
    return own.make_cursor(cursor)


class _PlanningCursor(psycopg.Cursor[Any]):
    """A cursor that plans each statement for its own parameters."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """As the driver's, never prepared."""
        return super().execute(query, params, **{**options, "prepare": False})


def joined(column: str) -> str:
    """SQL for the column's values as one text with commas; null for none."""
    return f"string_agg({column}::text, ',')" if is_postgresql() else f"group_concat({column}, ',')"


def as_instant(value: Any) -> datetime | None:
    """The instant in a column that `rows_of` read."""
    if value is None or (type(value) is datetime and value.tzinfo is not None):
        return value
    if isinstance(value, str):
        # SQLite has no such type: Django keeps instants as text in UTC.
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def as_stored(at: datetime) -> Any:
    """The instant as a parameter of `rows_of`."""
    return connection.ops.adapt_datetimefield_value(at)
