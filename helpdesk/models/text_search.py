"""The databases' part of the search: `helpdesk_fold`, and PostgreSQL's indexes over what it gives.

`helpdesk_fold(text)` is lower case without accents, on both databases. PostgreSQL has it as a function of SQL, because
its own `unaccent` is an extension that may be missing and that no index can be built on; SQLite gets ours with each
connection. Trigrams are used where `pg_trgm` can be had; without them a part of a name is looked for row by row.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django.db import Error, transaction

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# The marked letters of Latin-1 with their plain ones. Few, because PostgreSQL tries them all on each letter.
_MARKED: Final = {
    chr(code): plain
    for code in range(0xC0, 0x100)
    if len(plain := unicodedata.normalize("NFD", chr(code))[:1]) == 1 and plain != chr(code) and plain.isascii()
}
_TABLE: Final = str.maketrans(_MARKED)

# What is compared, as SQL. The words are a column that PostgreSQL fills by itself: to make them anew for every row that
# a search looks at takes hundreds of times as long as to read them.
MESSAGE_WORDS: Final = "helpdesk_message.words"
# The index is built over this very expression.
CONTACT_TEXT: Final = (
    "helpdesk_fold(helpdesk_contact.name || ' ' || helpdesk_contact.organisation || ' ' || helpdesk_contact.email)"
)

_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION helpdesk_fold(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT lower(translate(t, '{marked}', '{plain}')) $$
"""
_WORDS: Final = (
    "ALTER TABLE helpdesk_message ADD COLUMN words tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', helpdesk_fold(text))) STORED",
    "CREATE INDEX helpdesk_message_words ON helpdesk_message USING gin (words)",
)
_TRIGRAM_INDEX: Final = f"CREATE INDEX helpdesk_contact_trigrams ON helpdesk_contact USING gin ({CONTACT_TEXT} {{ops}})"


def fold(text: str | None) -> str | None:
    """The text in lower case and without accents, letter for letter; None stays None."""
    return None if text is None else text.translate(_TABLE).lower()


def give_sqlite_the_function(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """Nothing; a new SQLite connection knows `helpdesk_fold`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("helpdesk_fold", 1, fold, deterministic=True)


def make_text_search(connection: BaseDatabaseWrapper) -> None:
    """Nothing; PostgreSQL has the function, the words with their index, and the index of trigrams where it can."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTION.format(marked="".join(_MARKED), plain="".join(_MARKED.values())))
        for statement in _WORDS:
            cursor.execute(statement)
    if schema := _trigram_schema(connection):
        with connection.cursor() as cursor:
            cursor.execute(_TRIGRAM_INDEX.format(ops=f'"{schema}".gin_trgm_ops'))


def remove_text_search(connection: BaseDatabaseWrapper) -> None:
    """Nothing; the function and the indexes are gone. The extension stays: others may use it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # With what stands on it: the column and the indexes.
            cursor.execute("DROP FUNCTION IF EXISTS helpdesk_fold(text) CASCADE")


def _trigram_schema(connection: BaseDatabaseWrapper) -> str:
    """Where pg_trgm lives, made if it may be made; empty where it can't be had."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error:
        # Not delivered with this server, or not for this role.
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE e.extname = 'pg_trgm'"
        )
        found = cursor.fetchone()
    return str(found[0]) if found else ""
