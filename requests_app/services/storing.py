"""Storing a new request together with the first entry of its ledger: both or neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import JSONField

from callcenter.lib.arrays import PLAIN
from callcenter.lib.database import is_postgresql, rows_of
from requests_app.models import CallRequest, LedgerEntry
from requests_app.models.json_text import JsonTextField
from requests_app.services import number_checks
from requests_app.services.homes import STILL_PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.db.models import Field, Model

    from requests_app.services.homes import Home

# Columns in which even a plain value is written otherwise.
_ENCODING: Final = (JSONField, JsonTextField)


@dataclass(frozen=True)
class Stored:
    """Whether a request was stored, and whether its number has to be looked at (`number_checks`)."""

    is_done: bool
    is_suspect: bool = False


def store_new(call_request: CallRequest, entry: LedgerEntry, *, home: Home, digest: UUID | None) -> Stored:
    """That both are stored, and have their ids; not done when the home was a wrong guess.

    `digest` = that of the request's number; None = it has none that can be called.
    Effects: two INSERTs; on PostgreSQL in one statement, which needs no BEGIN and no COMMIT around it.
    """
    request_values, entry_values = _values(call_request, _columns(CallRequest)), _values(entry, _entry_columns())
    if not is_postgresql():
        with transaction.atomic():
            request_id = rows_of(_alone(CallRequest), request_values)[0]["id"]
            entry_id = rows_of(_alone(LedgerEntry), [request_id, *entry_values])[0]["id"]
            is_suspect = digest is not None and number_checks.is_suspect(digest)
    else:
        guess = home.guess if home.is_guess else []
        values = [*guess, *request_values, *entry_values, *number_checks.params(digest)]
        stored = rows_of(_both(is_guarded=home.is_guess), values)
        if not stored:
            return Stored(is_done=False)
        request_id, entry_id, is_suspect = (stored[0][name] for name in ("request_id", "entry_id", "is_suspect"))
    for row, pk in ((call_request, request_id), (entry, entry_id)):
        row.pk = pk
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    entry.call_request = call_request
    return Stored(is_done=True, is_suspect=is_suspect)


@cache
def _both(*, is_guarded: bool) -> str:
    home, source = (f"home AS ({STILL_PLAIN}), ", " FROM home") if is_guarded else ("", "")
    return (
        f"WITH {home}made AS (INSERT INTO {CallRequest._meta.db_table} ({_names(_columns(CallRequest))})"
        f" SELECT {', '.join(map(_typed, _columns(CallRequest)))}{source} RETURNING id),"
        f" told AS (INSERT INTO {LedgerEntry._meta.db_table} (call_request_id, {_names(_entry_columns())})"
        f" SELECT made.id, {', '.join(map(_typed, _entry_columns()))} FROM made RETURNING id)"
        " SELECT made.id AS request_id, told.id AS entry_id,"
        f" ({number_checks.condition()}) AS is_suspect FROM made, told"
    )


@cache
def _alone(model: type[Model]) -> str:
    first = ["call_request_id"] if model is LedgerEntry else []
    fields = _entry_columns() if model is LedgerEntry else _columns(model)
    names = ", ".join([*first, _names(fields)])
    places = ", ".join(["%s"] * (len(first) + len(fields)))
    return f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({places}) RETURNING id"


@cache
def _columns(model: type[Model]) -> Sequence[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


@cache
def _entry_columns() -> Sequence[Field[Any, Any]]:
    return [field for field in _columns(LedgerEntry) if field.name != "call_request"]


def _names(fields: Sequence[Field[Any, Any]]) -> str:
    return ", ".join(str(field.column) for field in fields)


def _typed(field: Field[Any, Any]) -> str:
    # A null has no type of its own. Without the length: a cast would cut what the column refuses.
    kind = re.sub("[(].*", "", field.db_type(connections[DEFAULT_DB_ALIAS]) or "text")
    return f"CAST(%s AS {kind})"


def _values(row: Model, fields: Sequence[Field[Any, Any]]) -> list[Any]:
    connection = connections[DEFAULT_DB_ALIAS]
    takes_plain = connection.vendor == "postgresql"
    values = []
    for field in fields:
        value = field.pre_save(row, add=True)
        # What the driver takes as it is need not be asked about 33 times.
        is_ready = takes_plain and type(value) in PLAIN and not isinstance(field, _ENCODING)
        values.append(value if is_ready else field.get_db_prep_save(value, connection))
    return values
