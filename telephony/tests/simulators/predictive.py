"""The predictive call exactly as the vendor's page shows it, and the POST that carries it."""

from typing import Any

import requests

from telephony.tests.simulators.running import Simulators

# https://docs-pabx.digitro.com/api-10271002, the page's example, verbatim.
EXAMPLE = {
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
    "BLOQUEIO_TELEMARKETING": "NAO",
}
PREDICTIVE_ONLY = ("MODO_PREDITIVO", "CPD", "TIPO_CPD_DESTINO", "TEMPO_REATENDIMENTO", "BLOQUEIO_TELEMARKETING")


def call_body(number: str = "04832817001", **changes: Any) -> dict[str, Any]:
    """The example's body for a number, with changes."""
    return {**EXAMPLE, "IDENTIDADE_DESTINO": number, **changes}


def post_call(
    simulators: Simulators, body: Any = None, *, session: requests.Session | None = None
) -> requests.Response:
    """The PABX's answer to a predictive call."""
    return (session or requests).post(
        f"{simulators.digitro_url}/requests/{simulators.channel}/chamada-preditiva",
        json=call_body() if body is None else body,
        headers={"x-api-key": simulators.api_key},
        timeout=(2, 5),
    )
