"""A dialer line with the values of the vendor's example.

Source: https://docs-pabx.digitro.com/api-10271002
"""

from __future__ import annotations

from typing import Any

import pytest

from telephony.providers.base import ProviderError
from telephony.providers.digitro.client import DigitroClient
from telephony.providers.digitro.wire import LineAccess

# https://docs-pabx.digitro.com/api-10271002, "Exemplo", verbatim.
EXAMPLE_BODY = """{
    "DISPOSITIVO": "1125000",
    "SENHA_DISPOSITIVO": "4567",
    "ROTA": "0",
    "CONTA": "1114000",
    "SENHA": "1234",
    "IDENTIDADE_DESTINO": "04832817000",
    "MODO_PREDITIVO": "0",
    "DADOS": "111222333-44;Fulano",
    "IDENTIDADE_ORIGINADOR": "1112000",
    "CPD": "1",
    "TEMPO_REATENDIMENTO": "10",
    "TIPO_CPD_DESTINO": "1",
    "BLOQUEIO_TELEMARKETING": "NAO"
}"""
EXAMPLE_ANSWER = b"""{
    "ID_CHAMADA": "08/07/24 10:46:19 010A 0974/00"
}"""
EXAMPLE_CALL_ID = "08/07/24 10:46:19 010A 0974/00"
EXAMPLE_PHONE = "+554832817000"
EXAMPLE_DATA = "111222333-44;Fulano"

API_KEY = "k3y-of-the-line"

# What no error and no log line may hold.
SECRETS = (API_KEY, "4567", "1234", "4832817000", "Fulano", "1112000")


def example_line(**changes: Any) -> LineAccess:
    """The line that places the example's call."""
    values: dict[str, Any] = {
        "base_url": "http://127.0.0.1:9",
        "api_key": API_KEY,
        "channel_id": 7,
        "device": "1125000",
        "device_password": "4567",
        "route": "0",
        "account": "1114000",
        "account_password": "1234",
        "originator": "1112000",
        "predictive_mode": "0",
        "cpd": "1",
        "cpd_destination_type": "1",
        "reanswer_seconds": 10,
        "telemarketing_block": False,
        "dial_prefix": "0",
    }
    return LineAccess(**{**values, **changes})


def client_for(base_url: str, *, connect: float = 2.0, read: float = 2.0, **changes: Any) -> DigitroClient:
    """A client of the example's line at this address."""
    return DigitroClient(
        example_line(base_url=base_url, **changes), connect_timeout_seconds=connect, read_timeout_seconds=read
    )


def place(client: DigitroClient) -> str:
    """The id of the example's call, placed by this client."""
    return client.place_predictive_call(phone_e164=EXAMPLE_PHONE, data=EXAMPLE_DATA)


def failure(client: DigitroClient) -> ProviderError:
    """The error that placing the example's call ends in; it holds nothing that must stay secret."""
    with pytest.raises(ProviderError) as raised:
        place(client)
    error = raised.value
    shown = f"{error!s} {error!r} {error.context}"
    assert not [secret for secret in SECRETS if secret in shown]
    # Nor does a traceback, which would print what the error was raised from.
    assert error.__cause__ is None
    assert error.__context__ is None
    return error
