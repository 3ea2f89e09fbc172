"""How the kept counts are kept: by triggers on the table of call requests, so that no writer can forget them.

PostgreSQL: every change *inserts* parts (+1, -1), which neither waits for anybody nor can deadlock; now and then a
writer folds the parts that nobody else holds into one. A reader sums up whatever parts its snapshot shows, which is
exact at every moment. SQLite has one writer at a time, so its triggers change the one row there is.

The triggers are looked after when a migrate ends: SQLite loses them whenever a migration remakes the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

_REQUESTS: Final = "requests_app_callrequest"


class _Table(NamedTuple):
    """A table of kept counts: its key, and what the key is made of in a row of the requests, by vendor."""

    name: str
    key: tuple[str, ...]
    postgresql: tuple[str, ...]
    sqlite: tuple[str, ...]

    def of(self, vendor: str, row: str) -> str:
        """The key's values in `row`, as SQL."""
        return ", ".join(part.format(row=row) for part in (self.postgresql if vendor == "postgresql" else self.sqlite))

    @property
    def columns(self) -> str:
        """The key's columns, as SQL."""
        return ", ".join(self.key)


_COUNT: Final = _Table(
    "requests_app_keptcount",
    ("company_id", "status", "responsible_id"),
    ("{row}.company_id", "{row}.status", "coalesce({row}.responsible_id, 0)"),
    ("{row}.company_id", "{row}.status", "coalesce({row}.responsible_id, 0)"),
)
_WEEK: Final = _Table(
    "requests_app_keptweek",
    ("company_id", "week", "status"),
    ("{row}.company_id", "date_trunc('week', {row}.requested_at AT TIME ZONE 'UTC')::date", "{row}.status"),
    # Django keeps instants as text in UTC; their last microsecond of a day would be rounded up. Its Sunday, and back.
    ("{row}.company_id", "date(substr({row}.requested_at, 1, 10), 'weekday 0', '-6 days')", "{row}.status"),
)
_TABLES: Final = (_COUNT, _WEEK)

# A key with more parts than this is folded, by about every so-manieth writer.
_PARTS: Final = 20
_FOLD_EVERY: Final = 100


def ensure_counting(connection: BaseDatabaseWrapper) -> bool:
    """Whether the triggers had to be made, and the numbers counted anew with them.

    Nothing happens while the tables of the counts are not there. Call inside a transaction.
    """
    with connection.cursor() as cursor:
        if not {table.name for table in _TABLES} <= set(connection.introspection.table_names(cursor)):
            return False
        if _is_counting(connection, cursor):
            return False
    remove_counting(connection)
    with connection.cursor() as cursor:
        for statement in _statements(connection.vendor):
            cursor.execute(statement)
    recount(connection)
    return True


def remove_counting(connection: BaseDatabaseWrapper) -> None:
    """Nothing; the triggers are gone, and the numbers no longer follow."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS requests_app_keep_counts() CASCADE")
            return
        for name in _sqlite_triggers():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def recount(connection: BaseDatabaseWrapper) -> None:
    """Nothing; every number is counted anew. Writers wait for it. Call inside a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Whoever writes now would be counted twice or not at all.
            cursor.execute(f"LOCK TABLE {_REQUESTS} IN SHARE MODE")
        for table in _TABLES:
            cursor.execute(f"DELETE FROM {table.name}")
            cursor.execute(f"INSERT INTO {table.name} ({table.columns}, number) {_counted(connection.vendor, table)}")


def differences(connection: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
    """What is kept wrongly: the table, its key, the number kept and the number counted. One query a table."""
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for table in _TABLES:
            # No FULL JOIN on older SQLite: both sides as signed numbers, and what does not cancel out is wrong.
            cursor.execute(
                f"SELECT {table.columns}, sum(kept), sum(counted) FROM ("
                f" SELECT {table.columns}, number AS kept, 0 AS counted FROM {table.name}"
                f" UNION ALL SELECT {table.columns}, 0, number"
                f" FROM ({_counted(connection.vendor, table)}) AS counted_now"
                f") AS both_sides GROUP BY {table.columns} HAVING sum(kept) <> sum(counted) ORDER BY {table.columns}"
            )
            found += [(table.name, *row) for row in cursor.fetchall()]
    return found


def _counted(vendor: str, table: _Table) -> str:
    """The true numbers, as SQL with the key's columns and `number`."""
    values = table.postgresql if vendor == "postgresql" else table.sqlite
    named = ", ".join(f"{value.format(row='r')} AS {name}" for name, value in zip(table.key, values, strict=True))
    places = ", ".join(str(place + 1) for place in range(len(table.key)))
    return f"SELECT {named}, count(*) AS number FROM {_REQUESTS} r GROUP BY {places}"


def _is_counting(connection: BaseDatabaseWrapper, cursor: CursorWrapper) -> bool:
    """Whether the triggers in the database are these."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'requests_app_keep_counts'")
        bodies = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'requests_app_keep_counts%%' AND tgenabled = 'O'", []
        )
        return bodies == [_POSTGRESQL_BODY] and {row[0] for row in cursor.fetchall()} == set(_POSTGRESQL_TRIGGERS)
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'requests_app_keep_counts%'"
    )
    return dict(cursor.fetchall()) == _sqlite_triggers()


def _statements(vendor: str) -> list[str]:
    if vendor == "postgresql":
        function = (
            "CREATE FUNCTION requests_app_keep_counts() RETURNS trigger LANGUAGE plpgsql"
            f" AS $body${_POSTGRESQL_BODY}$body$"
        )
        return [function, *_POSTGRESQL_TRIGGERS.values()]
    return list(_sqlite_triggers().values())


def _parts(table: _Table, *, sign: str, source: str) -> str:
    """Parts for the rows of `source` (OLD, NEW, or a transition table), as PostgreSQL's SQL."""
    is_one = source in {"OLD", "NEW"}
    values = table.of("postgresql", source)
    if is_one:
        return f"INSERT INTO {table.name} ({table.columns}, number) VALUES ({values}, {sign}1);"
    return (
        f"INSERT INTO {table.name} ({table.columns}, number)"
        f" SELECT {values}, {sign}count(*) FROM {source} GROUP BY 1, 2, 3;"
    )


def _folding(table: _Table) -> str:
    """The parts of the crowded keys become one; those that another writer folds at this moment are left alone."""
    return f"""
    WITH crowded AS (
        SELECT {table.columns} FROM {table.name} GROUP BY {table.columns} HAVING count(*) > {_PARTS}
    ), taken AS (
        DELETE FROM {table.name} WHERE id IN (
            SELECT part.id FROM {table.name} part JOIN crowded USING ({table.columns}) FOR UPDATE OF part SKIP LOCKED
        ) RETURNING {table.columns}, number
    )
    INSERT INTO {table.name} ({table.columns}, number)
        SELECT {table.columns}, sum(number) FROM taken GROUP BY {table.columns} HAVING sum(number) <> 0;"""


_POSTGRESQL_BODY: Final = f"""
BEGIN
    IF TG_OP = 'INSERT' THEN
        {" ".join(_parts(table, sign="+", source="added") for table in _TABLES)}
    ELSIF TG_OP = 'DELETE' THEN
        {" ".join(_parts(table, sign="-", source="removed") for table in _TABLES)}
    ELSIF TG_OP = 'UPDATE' THEN
        {" ".join(_parts(table, sign="-", source="OLD") for table in _TABLES)}
        {" ".join(_parts(table, sign="+", source="NEW") for table in _TABLES)}
    ELSE
        {" ".join(f"DELETE FROM {table.name};" for table in _TABLES)}
    END IF;
    IF random() < {1 / _FOLD_EVERY} THEN
        {" ".join(_folding(table) for table in _TABLES)}
    END IF;
    RETURN NULL;
END
"""

# A bulk load is counted by statement. An update is counted by row, so that the many which move nothing cost nothing.
_POSTGRESQL_TRIGGERS: Final = {
    "requests_app_keep_counts_insert": f"CREATE TRIGGER requests_app_keep_counts_insert AFTER INSERT ON {_REQUESTS}"
    " REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION requests_app_keep_counts()",
    "requests_app_keep_counts_delete": f"CREATE TRIGGER requests_app_keep_counts_delete AFTER DELETE ON {_REQUESTS}"
    " REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION requests_app_keep_counts()",
    "requests_app_keep_counts_update": f"CREATE TRIGGER requests_app_keep_counts_update AFTER UPDATE ON {_REQUESTS}"
    " FOR EACH ROW WHEN ((OLD.company_id, OLD.status, OLD.responsible_id, OLD.requested_at)"
    " IS DISTINCT FROM (NEW.company_id, NEW.status, NEW.responsible_id, NEW.requested_at))"
    " EXECUTE FUNCTION requests_app_keep_counts()",
    "requests_app_keep_counts_truncate": "CREATE TRIGGER requests_app_keep_counts_truncate"
    f" AFTER TRUNCATE ON {_REQUESTS} FOR EACH STATEMENT EXECUTE FUNCTION requests_app_keep_counts()",
}


def _sqlite_triggers() -> dict[str, str]:
    """Name to statement of SQLite's triggers, in SQLite's own spelling of it."""

    def moved(table: _Table, row: str, sign: str) -> str:
        at = " AND ".join(
            f"{name} = {value.format(row=row)}" for name, value in zip(table.key, table.sqlite, strict=True)
        )
        statement = f"UPDATE {table.name} SET number = number {sign} 1 WHERE {at};"
        # Nothing to take from means that the counts were emptied first, as a flush of all tables may do.
        return (
            statement
            if sign == "-"
            else (
                f"{statement} INSERT INTO {table.name} ({table.columns}, number)"
                f" SELECT {table.of('sqlite', row)}, 1 WHERE changes() = 0;"
            )
        )

    removed = " ".join(moved(table, "OLD", "-") for table in _TABLES)
    added = " ".join(moved(table, "NEW", "+") for table in _TABLES)
    differs = " OR ".join(
        f"OLD.{name} IS NOT NEW.{name}" for name in ("company_id", "status", "responsible_id", "requested_at")
    )
    events = {"insert": ("", added), "delete": ("", removed), "update": (f"WHEN {differs} ", f"{removed} {added}")}
    return {
        f"requests_app_keep_counts_{event}": f"CREATE TRIGGER requests_app_keep_counts_{event}"
        f" AFTER {event.upper()} ON {_REQUESTS} FOR EACH ROW {condition}BEGIN {body} END"
        for event, (condition, body) in events.items()
    }
