"""The carrier's statement: the lines of the calls that are over, in pages, and the recordings behind their links.

Sources: http://doc.directcallsoft.com/pages/viewpage.action?pageId=950315 (/extrato/list), …pageId=329648
(/extrato/list-recordings, whose example gives the lines' names). `callerid`, `status` and `duracao` in a line are the
names that other methods use; the page of /extrato/list prints no line.
"""

import base64
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from telephony.simulators.carrier_calls import CarrierCall
from telephony.simulators.serving import SAO_PAULO

RECORDING_PATH = "/extrato/gravacao/id/"
_MOST_LINES_PER_PAGE = 100


class BadFilter(Exception):
    """A filter of the statement is missing or can't be read."""


def statement(
    calls: Sequence[CarrierCall], parameters: Mapping[str, str], *, base_url: str, recordings_only: bool
) -> dict[str, Any]:
    """`msg` and `paginas` for the filters: dataInicial, dataFinal, numeroDestino, numeroOrigem, callerid, pagina.

    *Errors* - BadFilter.
    """
    since, until = _instant(parameters.get("dataInicial")), _instant(parameters.get("dataFinal"))
    page = parameters.get("pagina", "1")
    if not page.isdecimal() or int(page) < 1:
        raise BadFilter
    fitting = [
        call
        for call in calls
        if not call.is_active()
        and since <= call.started_at.replace(microsecond=0) <= until
        and parameters.get("callerid", call.callerid) == call.callerid
        and parameters.get("numeroDestino", call.destino) == call.destino
        and parameters.get("numeroOrigem", call.origem) == call.origem
        and (talk_seconds(call) or not recordings_only)
    ]
    start = (int(page) - 1) * _MOST_LINES_PER_PAGE
    lines = [_line(call, base_url) for call in fitting[start : start + _MOST_LINES_PER_PAGE]]
    return {"msg": lines, "paginas": max(1, -(-len(fitting) // _MOST_LINES_PER_PAGE))}


def talk_seconds(call: CarrierCall) -> int:
    """How long the people talked; 0 = nobody answered. A call whose news the carrier kept back was answered."""
    return call.talk_seconds if call.fate.is_answered or not call.fate.events else 0


def recording(calls: Sequence[CarrierCall], path: str) -> bytes | None:
    """The sound behind a recording's path: a WAV of silence; None for a path that is no call's."""
    found = (call for call in calls if path == RECORDING_PATH + _recording_id(call) and talk_seconds(call))
    call = next(found, None)
    if call is None:
        return None
    samples = b"\x80" * 8000 * min(talk_seconds(call), 5)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVE"
        + form
        + struct.pack("<4sI", b"data", len(samples))
        + samples
    )


def _line(call: CarrierCall, base_url: str) -> dict[str, Any]:
    minutes, seconds = divmod(talk_seconds(call), 60)
    line = {
        "callerid": call.callerid,
        "origem": call.origem,
        "destino": call.destino,
        "status": "atendida" if talk_seconds(call) else call.fate.events[-1],
        "inicio": f"{call.started_at:%Y-%m-%d %H:%M:%S}",
        "duracao": f"00:{minutes:02d}:{seconds:02d}",
    }
    if talk_seconds(call):
        line["gravacao_link"] = f"{base_url}{RECORDING_PATH}{_recording_id(call)}"
    return line


def _recording_id(call: CarrierCall) -> str:
    # The last part of the newer links is the Base64 of a UUID.
    return unquote(base64.urlsafe_b64encode(call.callerid.encode()).decode().rstrip("="))


def _instant(text: str | None) -> datetime:
    try:
        return datetime.strptime(text or "", "%Y%m%d%H%M%S").replace(tzinfo=SAO_PAULO)
    except ValueError:
        raise BadFilter from None
