"""What differs between PostgreSQL and SQLite, so that nothing else needs to ask."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, TypeVar

from django.db import connection, transaction
from django.db.models import Q

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

M = TypeVar("M", bound="Model")


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
