"""Numbers of messages and atendimentos, in the order in which they become visible."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from callcenter.lib.database import rows_of

_INSTALLATION: Final = "helpdesk_installationcounter"
_COMPANY: Final = "helpdesk_companycounter"


def next_message_number() -> int:
    """The next number of a message.

    From here to the end of the transaction nobody else gets one, so a reader who polls by number skips none: take it
    as late as possible, after every row lock.
    Errors: `TransactionManagementError` outside a transaction.
    """
    return _installation("messages")


def next_atendimento_numbers(company_id: int) -> tuple[int, int]:
    """The next numbers of an atendimento: of the installation, and of the company (the protocol, without gaps).

    The installation's row is locked first, always, so two who number can't wait for each other.
    Errors: `TransactionManagementError` outside a transaction.
    """
    number = _installation("atendimentos")
    bump = (
        f"UPDATE {_COMPANY} SET atendimentos = atendimentos + 1 WHERE company_id = %s RETURNING atendimentos AS value"
    )
    if found := rows_of(bump, [company_id]):
        return number, int(found[0]["value"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_COMPANY} (company_id, atendimentos) VALUES (%s, 0) ON CONFLICT DO NOTHING", [company_id]
        )
    return number, int(rows_of(bump, [company_id])[0]["value"])


def _installation(column: str) -> int:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a number needs a transaction")
    bump = f"UPDATE {_INSTALLATION} SET {column} = {column} + 1 WHERE id = 1 RETURNING {column} AS value"
    if found := rows_of(bump):
        return int(found[0]["value"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_INSTALLATION} (id, messages, atendimentos) VALUES (1, 0, 0) ON CONFLICT DO NOTHING"
        )
    return int(rows_of(bump)[0]["value"])
