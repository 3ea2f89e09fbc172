"""A Dígitro PABX as a program: it takes calls and commands, rings nobody, and tells its channels and the carrier.

Source: https://docs-pabx.digitro.com/api-10271002 ("Gerar chamada preditiva"). What that page leaves open is chosen
here: the shape of error bodies, and that a body must hold exactly the keys of the page's example.
"""

import argparse
import http.client
import json
import re
import secrets
import sys
import threading
from collections import Counter, deque
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from telephony.simulators.callbacks import Scheduler
from telephony.simulators.channels import ChannelHub, packet
from telephony.simulators.digitro_options import DigitroOptions, add_arguments
from telephony.simulators.fates import Answer, Delivery, Fate, fate_of
from telephony.simulators.pabx_calls import PabxCall
from telephony.simulators.pabx_commands import COMMANDS, NULLABLE, CommandDesk
from telephony.simulators.record import CallRecord
from telephony.simulators.serving import SAO_PAULO, Reply, Request, json_reply

__all__ = ["DigitroProgram", "add_arguments", "start"]

PREDICTIVE_SLUG = "chamada-preditiva"
_SPECIFIC_ROUTE_KEYS = frozenset({
    "DISPOSITIVO", "SENHA_DISPOSITIVO", "ROTA", "CONTA", "SENHA", "IDENTIDADE_DESTINO", "DADOS",
    "IDENTIDADE_ORIGINADOR",
})  # fmt: skip
_PREDICTIVE_KEYS = _SPECIFIC_ROUTE_KEYS | {
    "MODO_PREDITIVO", "CPD", "TIPO_CPD_DESTINO", "TEMPO_REATENDIMENTO", "BLOQUEIO_TELEMARKETING",
}  # fmt: skip
_NULLABLE_KEYS = frozenset({"CONTA", "SENHA"})
_DESTINATION = re.compile(r"0[1-9][1-9][0-9]{8,9}")
_PATH = re.compile(r"/requests/([^/]*)/([^/]+)")
_CARRIER_TIMEOUT_SECONDS = 10
_LABELS = {
    400: "Pedido inválido",
    401: "Não autorizado",
    403: "Proibido",
    404: "Não encontrado",
    405: "Método não permitido",
    500: "Erro do servidor",
    503: "Serviço indisponível",
}


class _Refused(Exception):
    """The request is answered with an error and nothing is dialed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def start(arguments: argparse.Namespace) -> "DigitroProgram":
    """The program that the parsed command line asks for."""
    fields = DigitroOptions.__dataclass_fields__
    return DigitroProgram(DigitroOptions(**{name: getattr(arguments, name) for name in fields}))


class DigitroProgram:
    """The PABX: checks, dials, records, tells its channels and the carrier, answers."""

    def __init__(self, options: DigitroOptions) -> None:
        self.options = options
        self.record = CallRecord(options.record)
        self._slugs = {PREDICTIVE_SLUG: _PREDICTIVE_KEYS, options.specific_route_slug: _SPECIFIC_ROUTE_KEYS} | COMMANDS
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._counts: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()
        self._next_answers: deque[str] = deque()
        self.channels = ChannelHub(
            heartbeat_seconds=options.heartbeat_seconds,
            seed=options.seed,
            faults=options.channel_faults,
            fault_seconds=options.channel_fault_seconds,
        )
        self.desk = CommandDesk(self._tell_channel)
        self._scheduler: Scheduler[PabxCall] = Scheduler(self._next_event, workers=4)
        # A random start keeps ids apart when the program is started twice within one second.
        self._sequence = secrets.randbelow(10_000_000)

    def answer(self, request: Request) -> Reply:
        """The reply to one request."""
        if request.path == self.options.events_path and request.method == "GET":
            return self._open_channel(request)
        operation = _PATH.fullmatch(request.path)
        if operation is None:
            return self._answer_simulator(request)
        self._count("requests")
        try:
            body = self._checked_body(request, channel=operation[1], slug=operation[2])
            if operation[2] in COMMANDS:
                return self._command(operation[2], body)
        except _Refused as refusal:
            self._count("refused", f"status {refusal.status}")
            return _error(refusal.status, refusal.message)
        return self._dial(body, channel=int(operation[1]))

    def close(self) -> None:
        """End every pause at once."""
        self._stopping.set()
        self._scheduler.close()
        self.channels.close()

    def _open_channel(self, request: Request) -> Reply:
        if request.headers.get("x-api-key") != self.options.api_key:
            return _error(401, "x-api-key ausente ou incorreta")
        return self.channels.open(
            device=request.parameters.get("dispositivo", ""),
            last_event_id=request.headers.get("Last-Event-ID") or "",
        )

    def _answer_simulator(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/healthz":
                return json_reply({"status": "ok"})
            case "GET", "/_simulator/calls":
                return json_reply(self.record.calls())
            case "GET", "/_simulator/stats":
                with self._lock:
                    return json_reply(dict(self._counts))
            case "GET", "/_simulator/channels":
                return json_reply({"open": self.channels.described(), "counts": dict(self.channels.counts)})
            case "GET", "/_simulator/commands":
                return json_reply({"done": self.desk.done, "devices": self.desk.devices})
            case "POST", "/_simulator/channel":
                return self._set_fault(request)
            case "POST", "/_simulator/next-command":
                self._next_answers.append(request.parameters.get("answer", ""))
                return json_reply({"status": "ok"})
            case "POST", "/_simulator/reset":
                with self._lock:
                    self._counts.clear()
                    self._tries.clear()
                    self._next_answers.clear()
                self._scheduler.clear()
                self.desk.clear()
                self.channels.clear()
                self.record.clear()
                return json_reply({"status": "ok"})
        return _error(404, f"{request.method} {request.path}")

    def _set_fault(self, request: Request) -> Reply:
        wanted = json.loads(request.body or b"{}") if request.content_type == "application/json" else request.parameters
        if self.channels.set_fault(str(wanted.get("fault", "")), times=int(wanted.get("times", 1))):
            return json_reply({"status": "ok"})
        return _error(400, "fault is none of those in --help")

    def _command(self, slug: str, body: dict[str, str | None]) -> Reply:
        """Do a command; how the next one is answered may have been set: 400 to 503, or silence, after it was done."""
        answer = self._next_answers.popleft() if self._next_answers else ""
        if answer in ("400", "401", "403"):
            raise _Refused(int(answer), "como pedido por /_simulator/next-command")
        if problem := self.desk.run(slug, body):
            raise _Refused(400, problem)
        self._count(f"command {slug}")
        if answer == "silence":
            self._stopping.wait(self.options.hang_seconds)
            return Reply(ending="silence")
        return _error(int(answer), "como pedido") if answer else json_reply({})

    def _checked_body(self, request: Request, *, channel: str, slug: str) -> dict[str, str | None]:
        if slug not in self._slugs:
            raise _Refused(404, f"operação {slug}")
        if request.method != "POST":
            raise _Refused(405, "use POST")
        if request.headers.get("x-api-key") != self.options.api_key:
            raise _Refused(401, "x-api-key ausente ou incorreta")
        if channel != str(self.options.channel) and not self.channels.is_open(channel):
            raise _Refused(400, "channelID não é o de um canal aberto")
        body = _flat_object(request, keys=self._slugs[slug], nullable=NULLABLE.get(slug, _NULLABLE_KEYS))
        # People's own devices are many; they share the password.
        device = body["DISPOSITIVO"] if slug == "login-dac" else self.options.device
        known = (device, self.options.device_password)
        if self.options.device and (body["DISPOSITIVO"], body["SENHA_DISPOSITIVO"]) != known:
            raise _Refused(403, "DISPOSITIVO ou SENHA_DISPOSITIVO incorretos")
        if slug in COMMANDS:
            return body
        if not _DESTINATION.fullmatch(body["IDENTIDADE_DESTINO"] or ""):
            raise _Refused(400, "IDENTIDADE_DESTINO deve conter 0, DDD e número de 8 ou 9 algarismos")
        return body

    def _dial(self, body: dict[str, str | None], *, channel: int) -> Reply:
        number = body["IDENTIDADE_DESTINO"] or ""
        with self._lock:
            fate = fate_of(number, seed=self.options.seed, times_dialed=self._tries[number])
            self._tries[number] += 1
            self._sequence += 1
            call_id = _call_id(self._sequence)
        self._count("dialed" if fate.dialed else "refused", f"fate {fate.name}", f"status {fate.status_code or 'none'}")
        if not fate.dialed:
            self._stopping.wait(self.options.answer_delay_ms / 1000)
            return _error(fate.status_code or 500, fate.meaning)
        self.record.append(
            {
                "at": datetime.now(SAO_PAULO).isoformat(),
                "number": number,
                "dados": body["DADOS"],
                "id": call_id,
                "fate": fate.name,
                "channel": channel,
            }
        )
        call = PabxCall(
            id=call_id,
            data=body["DADOS"] or "",
            device=body["DISPOSITIVO"] or "",
            channel_id=channel,
            fate=fate,
            carries_data=not self.options.events_without_data,
        )
        self.desk.add(call)
        return self._reply(
            fate,
            call,
            carrier_call={
                "destino": f"55{number[1:]}",
                "origem": body["IDENTIDADE_ORIGINADOR"],
                "fate": fate.name,
            },
        )

    def _reply(self, fate: Fate, call: PabxCall, *, carrier_call: dict[str, str | None]) -> Reply:
        def tell() -> None:
            self._scheduler.add(call, in_seconds=self.options.event_delay_ms / 1000)
            self._tell_carrier(carrier_call)

        if fate.answer is Answer.SILENCE:
            tell()
            self._stopping.wait(self.options.hang_seconds)
            return Reply(ending="silence")
        # Told only after the answer is out: the carrier's first event must not overtake it, but for one fate.
        is_early = fate.delivery is Delivery.EARLY
        if is_early:
            self._next_event(call)
            tell()
        self._stopping.wait(self.options.answer_delay_ms / 1000)
        afterwards = None if is_early else tell
        if fate.answer is Answer.RESET:
            return Reply(ending="reset", afterwards=afterwards)
        if fate.answer is Answer.ERROR:
            return _error(fate.status_code or 500, fate.meaning, afterwards=afterwards)
        answer = {} if fate.answer is Answer.WITHOUT_ID else {"ID_CHAMADA": call.id}
        return json_reply(answer, afterwards=afterwards)

    def _next_event(self, call: PabxCall) -> float | None:
        """Tell the call's next event; the seconds until the one after it, or None at the end."""
        event = call.next_event()
        if event is None:
            return None
        name, result, is_broken = event
        self.channels.publish(
            lambda number: call.bytes_of(name, result, is_broken=is_broken, number=number),
            channel_id=call.channel_id,
            device=call.device,
        )
        return self.options.event_delay_ms / 1000

    def _tell_channel(self, call: PabxCall, name: str, more: dict[str, str]) -> None:
        self.channels.publish(
            lambda number: packet(name, call.fields(**more), number=number),
            channel_id=call.channel_id,
            device=call.device,
        )

    def _tell_carrier(self, call: dict[str, str | None]) -> None:
        if self.options.carrier is None:
            return
        address = urlsplit(self.options.carrier)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port or 80, timeout=_CARRIER_TIMEOUT_SECONDS
        )
        try:
            connection.request("POST", "/_simulator/calls", json.dumps(call), {"Content-Type": "application/json"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            status = 0
            print(f"the carrier could not be told of a call: {error}", file=sys.stderr, flush=True)
        finally:
            connection.close()
        self._count("carrier told" if status == 200 else "carrier not told")

    def _count(self, *names: str) -> None:
        with self._lock:
            self._counts.update(names)


def _flat_object(request: Request, *, keys: frozenset[str], nullable: frozenset[str]) -> dict[str, str | None]:
    """The body's fields, when it is a JSON object of exactly these keys with text values; else refused with 400."""
    if request.content_type != "application/json":
        raise _Refused(400, "Content-Type deve ser application/json")
    try:
        body: Any = json.loads(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _Refused(400, "o corpo não é JSON em UTF-8") from None
    if not isinstance(body, dict):
        raise _Refused(400, "o corpo deve ser um objeto JSON")
    if missing := keys - body.keys():
        raise _Refused(400, f"faltam campos: {', '.join(sorted(missing))}")
    if unexpected := body.keys() - keys:
        raise _Refused(400, f"campos não previstos: {', '.join(sorted(unexpected))}")
    for key, value in body.items():
        if not isinstance(value, str) and not (value is None and key in nullable):
            raise _Refused(400, f"{key} deve ser texto")
    return body


def _call_id(sequence: int) -> str:
    """An ID_CHAMADA in the shape of the page's example, ``08/07/24 10:46:19 010A 0974/00``."""
    trunk, order = divmod(sequence, 10_000)
    return f"{datetime.now(SAO_PAULO):%d/%m/%y %H:%M:%S} {0x010A + trunk & 0xFFFF:04X} {order:04d}/00"


def _error(status: int, message: str, *, afterwards: Any = None) -> Reply:
    return json_reply({"erro": _LABELS[status], "mensagem": message}, status=status, afterwards=afterwards)
