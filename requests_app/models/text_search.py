"""PostgreSQL's indexes behind "a part of the name" and "a part of the phone": every four letters in a row.

A text that holds the one searched for holds all of its fours; the few that do are then looked at. What is shorter than
four begins one of the fours, because the text's end is filled up. Against trigrams of pg_trgm (a million requests):
0.04 instead of 1 to 18 ms for a phone, whose threes are all common, 0.3 to 4 instead of 0.5 to 12 ms for a name, two
thirds of the size, and no extension that an installation may lack. SQLite reads all the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_LETTERS: Final = 4

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
# A short pending list, because every search reads it whole. Upper case as in Django's `icontains`.
_INDEX: Final = (
    "CREATE INDEX call_request_{column}_parts ON requests_app_callrequest"
    " USING gin (requests_app_parts(upper({column}::text))) WITH (gin_pending_list_limit = 256)"
)
_COLUMNS: Final = ("name", "phone")


def make_text_search(connection: BaseDatabaseWrapper) -> None:
    """Nothing; PostgreSQL has the functions and the two indexes."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_PARTS)
        cursor.execute(_ASKED)
        for column in _COLUMNS:
            cursor.execute(_INDEX.format(column=column))


def remove_text_search(connection: BaseDatabaseWrapper) -> None:
    """Nothing; they are gone, and so are those of earlier versions."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in ("parts", "asked", "fours"):
                cursor.execute(f"DROP FUNCTION IF EXISTS requests_app_{name}(text) CASCADE")
