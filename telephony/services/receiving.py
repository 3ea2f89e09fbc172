"""Storing a delivery of the carrier: one statement, committed before anybody reads what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from callcenter.lib.database import as_stored, write_prepared
from callcenter.lib.secrets import digest
from telephony.models import CallbackRegistration, DirectcallAccount, ProviderEvent
from telephony.states import RegistrationState

if TYPE_CHECKING:
    from datetime import datetime

_ADDRESSES: Final = CallbackRegistration._meta.db_table
_ACCOUNTS: Final = DirectcallAccount._meta.db_table
# Columns that say nothing before the event is read; the database has no defaults of its own.
_EMPTY: Final = ("problem", "carrier_call_id", "provider_call_id", "phone_e164", "word", "meaning")
# Whose delivery it is is looked up by the same statement: a look-up of its own would cost as much as the storing.
_STORE: Final = f"""
INSERT INTO {ProviderEvent._meta.db_table}
    (account_id, company_id, source, state, tries, {", ".join(_EMPTY)}, received_at, content_type, raw)
SELECT account.id, account.company_id, '{ProviderEvent.Source.CALLBACK.value}', '{ProviderEvent.State.RECEIVED.value}',
    0, {", ".join(["''"] * len(_EMPTY))}, %s, %s, %s
FROM {_ADDRESSES} address JOIN {_ACCOUNTS} account ON account.id = address.account_id
WHERE address.digest = %s AND address.state <> '{RegistrationState.REMOVED.value}' AND account.is_enabled
"""


def store_callback(secret: str, *, body: bytes, content_type: str, now: datetime, is_authorized: bool = False) -> bool:
    """Whether the delivery is stored and committed, exactly as it came. One statement.

    False: the address is unknown, removed or of a disabled account; or it asks for HTTP Basic, which the caller has
    not found to be right (`is_authorized`).
    """
    given: list[Any] = [as_stored(now), content_type[:200].replace("\0", "\ufffd"), body, digest(secret)]
    return bool(write_prepared(_STORE if is_authorized else f"{_STORE} AND address.username = ''", given))
