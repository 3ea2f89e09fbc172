"""PostgreSQL's index behind "a part of the name" and "a part of the phone": every four letters in a row.

A text that holds the one searched for holds all of its fours; the few that do are then looked at. What is shorter than
four begins one of the fours, because the text's end is filled up. Against trigrams of pg_trgm (a million requests):
0.04 instead of 1 to 18 ms for a phone, whose threes are all common, 0.3 to 4 instead of 0.5 to 12 ms for a name, two
thirds of the size, and no extension that an installation may lack. SQLite reads all the texts.

The texts stand in a table of their own, kept by triggers: an index on the requests would be written, four letters by
four, with every claim and every call, which change neither name nor phone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.db import transaction

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_LETTERS: Final = 4
_REQUESTS: Final = "requests_app_callrequest"
TEXTS: Final = "requests_app_searchtext"
_COLUMNS: Final = ("name", "phone")
# Requests whose texts are copied at a time, so that a migration holds no writer up for long.
_AT_ONCE: Final = 20_000

# As words of a text search, because those can be asked for by how they begin. Nobody types what fills up.
_PARTS: Final = f"""
CREATE FUNCTION requests_app_parts(t text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT array_to_tsvector(ARRAY(
    SELECT substr(t || repeat(chr(31), {_LETTERS - 1}), i, {_LETTERS}) FROM generate_series(1, length(t)) AS i)) $$
"""
_ASKED: Final = f"""
CREATE FUNCTION requests_app_asked(t text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT CAST(string_agg(
    '''' || replace(replace(substr(t, i, {_LETTERS}), '\\', '\\\\'), '''', '''''') || ''''
        || CASE WHEN length(t) < {_LETTERS} THEN ':*' ELSE '' END, ' & ') AS tsquery)
    FROM generate_series(1, greatest(length(t) - {_LETTERS - 1}, 1)) AS i $$
"""
# Upper case as in Django's `icontains`. No constraint: the triggers outlive no request's texts.
_TABLE: Final = f"CREATE TABLE {TEXTS} (call_request_id bigint PRIMARY KEY, name text NOT NULL, phone text NOT NULL)"
_KEEP: Final = f"""
CREATE FUNCTION requests_app_keep_texts() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO {TEXTS} SELECT id, upper(name), upper(phone) FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM {TEXTS} WHERE call_request_id IN (SELECT id FROM removed);
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO {TEXTS} VALUES (NEW.id, upper(NEW.name), upper(NEW.phone))
            ON CONFLICT (call_request_id) DO UPDATE SET name = EXCLUDED.name, phone = EXCLUDED.phone;
    ELSE
        DELETE FROM {TEXTS};
    END IF;
    RETURN NULL;
END
$body$
"""
_CALLED: Final = "EXECUTE FUNCTION requests_app_keep_texts()"
_TRIGGERS: Final = (
    f"CREATE TRIGGER requests_app_keep_texts_insert AFTER INSERT ON {_REQUESTS}"
    f" REFERENCING NEW TABLE AS added FOR EACH STATEMENT {_CALLED}",
    f"CREATE TRIGGER requests_app_keep_texts_delete AFTER DELETE ON {_REQUESTS}"
    f" REFERENCING OLD TABLE AS removed FOR EACH STATEMENT {_CALLED}",
    f"CREATE TRIGGER requests_app_keep_texts_update AFTER UPDATE OF name, phone ON {_REQUESTS} FOR EACH ROW"
    f" WHEN ((OLD.name, OLD.phone) IS DISTINCT FROM (NEW.name, NEW.phone)) {_CALLED}",
    f"CREATE TRIGGER requests_app_keep_texts_truncate AFTER TRUNCATE ON {_REQUESTS} FOR EACH STATEMENT {_CALLED}",
)
_GONE: Final = ("DROP FUNCTION IF EXISTS requests_app_keep_texts() CASCADE", f"DROP TABLE IF EXISTS {TEXTS}")
# What a request changed meanwhile is there already, and newer.
_FILL: Final = (
    f"INSERT INTO {TEXTS} SELECT id, upper(name), upper(phone) FROM {_REQUESTS} WHERE id >= %s AND id < %s"
    " ON CONFLICT DO NOTHING"
)
_CLEAN: Final = f"DELETE FROM {TEXTS} t WHERE NOT EXISTS (SELECT 1 FROM {_REQUESTS} r WHERE r.id = t.call_request_id)"
# A short pending list, because every search reads it whole.
_INDEX: Final = (
    f"CREATE INDEX CONCURRENTLY search_text_{{column}}_parts ON {TEXTS}"
    " USING gin (requests_app_parts({column})) WITH (gin_pending_list_limit = 256)"
)


def ids_with_text(column: str, text: str) -> tuple[str, list[str]]:
    """PostgreSQL's SELECT of the ids of the requests whose column has the text in it, in any case; its parameters."""
    return (
        f"SELECT t.call_request_id FROM {TEXTS} t WHERE requests_app_parts(t.{column}) @@ requests_app_asked(upper(%s))"
        f" AND t.{column} LIKE upper(%s)",
        [text, f"%{escaped(text)}%"],
    )


def escaped(text: str) -> str:
    """The text as LIKE takes it, so that no character of it is a wildcard."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def make_text_search(connection: BaseDatabaseWrapper) -> None:
    """Nothing; PostgreSQL has the functions."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_PARTS)
            cursor.execute(_ASKED)


def keep_texts(connection: BaseDatabaseWrapper) -> None:
    """Nothing; PostgreSQL has the table with every request's texts, the triggers that keep it, and its indexes.

    Call outside a transaction: on a table in use no lock is held for long. Safe to repeat after it was interrupted.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        # An index over a million texts takes longer than the product gives a statement.
        cursor.execute("SET statement_timeout = 0")
        with transaction.atomic(using=connection.alias):
            for statement in (*_GONE, _TABLE, _KEEP, *_TRIGGERS):
                cursor.execute(statement)
        cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM {_REQUESTS}")
        first, last = cursor.fetchone()
        for start in range(first, last + 1, _AT_ONCE):
            cursor.execute(_FILL, [start, start + _AT_ONCE])
        # Deleted between being read and being copied.
        cursor.execute(_CLEAN)
        # These wait for whoever writes, and hold nobody up.
        cursor.execute("SET lock_timeout = 0")
        for column in _COLUMNS:
            cursor.execute(_INDEX.format(column=column))
        # Where they were before.
        for column in _COLUMNS:
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS call_request_{column}_parts")
        cursor.execute("RESET lock_timeout")
        cursor.execute("RESET statement_timeout")


def remove_text_search(connection: BaseDatabaseWrapper) -> None:
    """Nothing; it is all gone, and what earlier versions had."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for statement in _GONE:
                cursor.execute(statement)
            for name in ("parts", "asked", "fours"):
                cursor.execute(f"DROP FUNCTION IF EXISTS requests_app_{name}(text) CASCADE")
