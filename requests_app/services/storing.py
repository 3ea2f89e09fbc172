"""Storing a new request together with the first entry of its ledger: both or neither."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction

from callcenter.lib.database import is_postgresql, rows_of
from requests_app.models import CallRequest, LedgerEntry

if TYPE_CHECKING:
    from django.db.models import Field, Model


def store_new(call_request: CallRequest, entry: LedgerEntry) -> None:
    """Nothing; both are stored and have their ids.

    Effects: two INSERTs; on PostgreSQL in one statement, which needs no BEGIN and no COMMIT around it.
    """
    if not is_postgresql():
        with transaction.atomic():
            call_request.save(force_insert=True)
            entry.call_request = call_request
            entry.save(force_insert=True)
        return
    params = [*_values(call_request, _columns(CallRequest)), *_values(entry, _entry_columns())]
    stored = rows_of(_both(), params)[0]
    for row, pk in ((call_request, stored["request_id"]), (entry, stored["entry_id"])):
        row.pk = pk
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    entry.call_request = call_request


@cache
def _both() -> str:
    request_names = ", ".join(str(field.column) for field in _columns(CallRequest))
    entry_names = ", ".join(str(field.column) for field in _entry_columns())
    return (
        f"WITH made AS (INSERT INTO {CallRequest._meta.db_table} ({request_names})"
        f" VALUES ({', '.join(map(_typed, _columns(CallRequest)))}) RETURNING id),"
        f" told AS (INSERT INTO {LedgerEntry._meta.db_table} (call_request_id, {entry_names})"
        f" SELECT made.id, {', '.join(map(_typed, _entry_columns()))} FROM made RETURNING id)"
        " SELECT made.id AS request_id, told.id AS entry_id FROM made, told"
    )


def _columns(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _entry_columns() -> list[Field[Any, Any]]:
    return [field for field in _columns(LedgerEntry) if field.name != "call_request"]


def _typed(field: Field[Any, Any]) -> str:
    # A null has no type of its own. Without the length: a cast would cut what the column refuses.
    return f"CAST(%s AS {re.sub('[(].*', '', field.db_type(connection) or 'text')})"


def _values(row: Model, fields: list[Field[Any, Any]]) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
