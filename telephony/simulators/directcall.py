"""The carrier Directcall as a program: token, callbacks, calls, statement, and the events of every call it is told of.

Sources: https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367 (callbacks),
http://doc.directcallsoft.com/pages/viewpage.action?pageId=328829 (/voz/call), …pageId=329624 (/voz/status). The
paths of remove and list, and the shape of the list, are not public; they follow those of the SMS twins.
"""

import argparse
import json
import re
import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

from telephony.simulators.carrier import Carrier
from telephony.simulators.carrier_calls import CarrierCall
from telephony.simulators.directcall_statement import RECORDING_PATH, BadFilter, recording, statement
from telephony.simulators.fates import FATES_BY_NAME
from telephony.simulators.serving import SAO_PAULO, Reply, Request, at_least_zero, http_url, json_reply

_Method = Callable[[dict[str, str]], dict[str, Any]]
_PHONE = re.compile(r"(?:[0-9]{12,13}|ip[0-9]{10,11})")
_MESSAGES = MappingProxyType(
    {
        "001": "Parâmetros inválidos ou ausentes",
        "002": "Falha ao solicitar a chamada",
        "003": "Chamada não está ativa",
        "005": "Falha de conexão",
        "006": "Falha de autenticação",
        "010": "Identificador não existe ou já foi cancelado",
        "201": "Saldo insuficiente",
    }
)


class _Failed(Exception):
    """The method answers with a return code other than success."""

    def __init__(self, codigo: str) -> None:
        super().__init__(codigo)
        self.codigo = codigo


@dataclass(frozen=True)
class DirectcallOptions:
    """How this carrier is set up."""

    client_id: str
    client_secret: str
    token_seconds: float
    callback: tuple[tuple[str, str], ...]
    event_delay_ms: float
    seed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``directcall``, beside those that both programs have."""
    parser.add_argument("--client-id", default="demo@example.com", help="default: %(default)s")
    parser.add_argument("--client-secret", default="123456", help="default: %(default)s")
    parser.add_argument(
        "--token-seconds", type=at_least_zero, default=3600.0, help="life of a token (default: %(default)s)"
    )
    parser.add_argument(
        "--callback",
        action="extend",
        nargs="+",
        default=[],
        type=_pin_and_url,
        metavar="[PIN=]URL",
        help="registered from the start, may be repeated; with a PIN for the calls from that number only; "
        "http://user:password@host/ is sent as HTTP Basic",
    )
    parser.add_argument(
        "--event-delay-ms", type=at_least_zero, default=400.0, help="pause before each event (default: %(default)s)"
    )


def _pin_and_url(text: str) -> tuple[str, str]:
    pin, separator, url = text.partition("=")
    return (pin, http_url(url)) if separator and pin.isalnum() else ("", http_url(text))


def start(arguments: argparse.Namespace) -> "DirectcallProgram":
    """The program that the parsed command line asks for."""
    return DirectcallProgram(
        DirectcallOptions(
            client_id=arguments.client_id,
            client_secret=arguments.client_secret,
            token_seconds=arguments.token_seconds,
            callback=tuple(arguments.callback),
            event_delay_ms=arguments.event_delay_ms,
            seed=arguments.seed,
        )
    )


class DirectcallProgram:
    """The doors of the carrier: the API's methods, and the simulator's own under ``/_simulator/``."""

    def __init__(self, options: DirectcallOptions) -> None:
        self.options = options
        self.carrier = Carrier(callbacks=options.callback, event_delay_ms=options.event_delay_ms, seed=options.seed)
        self._lock = threading.Lock()
        self._token_ends: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._faults: defaultdict[str, deque[str]] = defaultdict(deque)
        self._methods: Mapping[tuple[str, str], tuple[str, _Method]] = {
            ("POST", "/voz/add-callback"): ("add-callback-status-chamada", self._add_callback),
            ("POST", "/voz/list-callback"): ("list-callback-status-chamada", self._list_callbacks),
            ("POST", "/voz/remove-callback"): ("remove-callback-status-chamada", self._remove_callback),
            ("POST", "/voz/call"): ("chamar", self._call),
            ("GET", "/voz/status"): ("status", self._status),
            ("GET", "/voz/end"): ("end", self._end),
            ("POST", "/extrato/list"): ("extrato", self._statement),
            ("POST", "/extrato/list-recordings"): ("extrato", self._recordings),
            ("POST", "/extrato/saldo"): ("saldo", self._balance),
        }

    def answer(self, request: Request) -> Reply:
        """The reply to one request."""
        with self._lock:
            planned = self._faults[request.path]
            fault = planned.popleft() if planned else ""
        if fault and (reply := _faulty(fault)) is not None:
            return reply
        reply = self._orderly(request, codigo=fault if fault in _MESSAGES else "")
        # Done, and the caller never learns it.
        return Reply(ending="silence") if fault == "silence" else reply

    def _orderly(self, request: Request, *, codigo: str) -> Reply:
        parameters = request.parameters
        if (request.method, request.path) == ("POST", "/request_token"):
            return self._request_token(parameters)
        if method := self._methods.get((request.method, request.path)):
            host = request.headers.get("Host") or "127.0.0.1"
            return self._envelope(*method, {**parameters, "_base_url": f"http://{host}"}, codigo=codigo)
        if request.method == "GET" and request.path.startswith(RECORDING_PATH):
            sound = recording(self.carrier.calls(), request.path)
            if sound is not None:
                self._count("recordings sent")
                return Reply(body=sound, content_type="audio/x-wav")
        return self._answer_simulator(request)

    def close(self) -> None:
        """Stop sending."""
        self.carrier.close()

    def _answer_simulator(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/healthz":
                return json_reply({"status": "ok"})
            case "POST", "/_simulator/calls":
                return self._take_call(request.body)
            case "GET", "/_simulator/calls":
                return json_reply([_described(call) for call in self.carrier.calls()])
            case "POST", "/_simulator/faults":
                return self._plan_faults(request.body)
            case "GET", "/_simulator/deliveries":
                return json_reply(self.carrier.deliveries())
            case "GET", "/_simulator/stats":
                with self._lock:
                    return json_reply(dict(self._counts) | self.carrier.stats())
            case "POST", "/_simulator/reset":
                self.carrier.reset()
                with self._lock:
                    self._token_ends.clear()
                    self._faults.clear()
                    self._counts.clear()
                return json_reply({"status": "ok"})
        return json_reply({"erro": f"{request.method} {request.path} não existe"}, status=404)

    def _take_call(self, body: bytes) -> Reply:
        """A call that the PABX put on the carrier's lines; with ``"over": true`` it ends at once and in silence."""
        try:
            told = json.loads(body)
            destino, name = told["destino"], told.get("fate")
            fate = self.carrier.drawn_fate(destino) if name is None else FATES_BY_NAME[name]
        except (ValueError, KeyError, TypeError, AttributeError):
            return json_reply({"erro": "esperado: {destino, origem, fate}"}, status=400)
        call = self.carrier.begin_call(origem=str(told.get("origem") or ""), destino=str(destino), fate=fate)
        if told.get("over"):
            call.keep_silent()
        return json_reply({"callerid": call.callerid})

    def _plan_faults(self, body: bytes) -> Reply:
        """The next answers of a path: ``{"path": "/voz/call", "faults": ["html", "500", "silence", "005", "ok"]}``."""
        told = json.loads(body)
        with self._lock:
            self._faults[told["path"]].extend(told["faults"])
        return json_reply({"status": "ok"})

    def _request_token(self, parameters: dict[str, str]) -> Reply:
        given = (parameters.get("client_id"), parameters.get("client_secret"))
        is_xml = parameters.get("format") == "xml"
        if given != (self.options.client_id, self.options.client_secret):
            self._count("tokens refused")
            error = {"error": "invalid_client", "error_description": "The client credentials are invalid"}
            return _spelled(error, root="oauth", is_xml=is_xml, status=401)
        token = secrets.token_hex(20)
        with self._lock:
            self._token_ends[token] = time.monotonic() + self.options.token_seconds
        self._count("tokens given")
        return _spelled({"access_token": token}, root="oauth", is_xml=is_xml)

    def _envelope(self, module: str, perform: _Method, parameters: dict[str, str], *, codigo: str) -> Reply:
        envelope: dict[str, Any] = {"api": "voz", "modulo": module, "status": "ok", "codigo": "000", "msg": "ok"}
        try:
            self._check_token(parameters.get("access_token", ""), planned=codigo)
            envelope |= perform(parameters)
        except _Failed as failure:
            envelope |= {"status": "erro", "codigo": failure.codigo, "msg": _MESSAGES[failure.codigo]}
        self._count(f"{module} {envelope['codigo']}")
        # Spelled `format` in the methods of voice, `formato` in those of the statement.
        is_xml = "xml" in (parameters.get("format"), parameters.get("formato"))
        return _spelled(envelope, root="directcall", is_xml=is_xml)

    def _check_token(self, token: str, *, planned: str) -> None:
        with self._lock:
            ends = self._token_ends.get(token, 0.0)
        if planned or ends <= time.monotonic():
            raise _Failed(planned or "006")

    def _add_callback(self, parameters: dict[str, str]) -> dict[str, Any]:
        try:
            url = http_url(parameters.get("url", ""))
        except argparse.ArgumentTypeError:
            raise _Failed("001") from None
        registration = self.carrier.register(url, pin=parameters.get("pin", ""))
        # "sms" and "001" are what the vendor's own example of a SUCCESS says.
        message = "URL de Callback cadastrada com sucesso."
        return {"api": "sms", "codigo": "001", "msg": message, "code": registration.code}

    def _list_callbacks(self, parameters: dict[str, str]) -> dict[str, Any]:
        found = [asdict(each) for each in self.carrier.registrations()]
        return {"total": len(found), "msg": found}

    def _remove_callback(self, parameters: dict[str, str]) -> dict[str, Any]:
        code = parameters.get("code")
        if not code:
            raise _Failed("001")
        if not self.carrier.remove(code):
            raise _Failed("010")
        return {"msg": "URL de Callback removida com sucesso."}

    def _call(self, parameters: dict[str, str]) -> dict[str, Any]:
        origem, destino = parameters.get("origem", ""), parameters.get("destino", "")
        if not _PHONE.fullmatch(origem) or not _PHONE.fullmatch(destino):
            raise _Failed("001")
        fate = self.carrier.drawn_fate(destino)
        if not fate.dialed:
            raise _Failed("002")
        call = self.carrier.begin_call(origem=origem, destino=destino, fate=fate)
        return {"msg": "Completando a sua ligacao, por favor aguarde!", "callerid": call.callerid}

    def _status(self, parameters: dict[str, str]) -> dict[str, Any]:
        call = self._active_call(parameters)
        seconds = int((datetime.now(SAO_PAULO) - call.started_at).total_seconds())
        return {
            "msg": [
                {
                    "telefone": call.destino,
                    "status": "atendida" if call.status == "atendeu" else call.status,
                    "inicio": f"{call.started_at:%Y-%m-%d %H:%M:%S}",
                    "duracao": f"00:{seconds // 60:02d}:{seconds % 60:02d}",
                }
            ]
        }

    def _end(self, parameters: dict[str, str]) -> dict[str, Any]:
        if not self._active_call(parameters).hang_up():
            raise _Failed("003")
        return {}

    def _statement(self, parameters: dict[str, str]) -> dict[str, Any]:
        return self._lines(parameters, recordings_only=False)

    def _recordings(self, parameters: dict[str, str]) -> dict[str, Any]:
        return self._lines(parameters, recordings_only=True)

    def _lines(self, parameters: dict[str, str], *, recordings_only: bool) -> dict[str, Any]:
        base_url = parameters["_base_url"]
        try:
            lines = statement(self.carrier.calls(), parameters, base_url=base_url, recordings_only=recordings_only)
        except BadFilter:
            raise _Failed("001") from None
        return {"api": "extrato", **lines}

    def _balance(self, parameters: dict[str, str]) -> dict[str, Any]:
        return {"api": "extrato", "moeda": "R$", "saldo": "1.234,56"}

    def _active_call(self, parameters: dict[str, str]) -> CarrierCall:
        call = self.carrier.active_call(parameters.get("origem"), parameters.get("destino"))
        if call is None:
            raise _Failed("003")
        return call

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


def _faulty(fault: str) -> Reply | None:
    """An answer that no method gives, though a proxy or a broken server may; None = the method is to be asked."""
    match fault:
        case "html":
            return Reply(body=b"<html><head/><body>Bad Gateway</body></html>", content_type="text/html")
        case "empty":
            return Reply(body=b"")
        case "list":
            return json_reply([{"status": ["ok"], "codigo": {"x": 1}, "msg": 7}])
        case "500" | "502" | "401":
            return json_reply({"erro": "fora do ar"}, status=int(fault))
    return None


def _described(call: CarrierCall) -> dict[str, Any]:
    return {
        "callerid": call.callerid,
        "origem": call.origem,
        "destino": call.destino,
        "fate": call.fate.name,
        "status": call.status,
        "active": call.is_active(),
    }


def _spelled(value: dict[str, Any], *, root: str, is_xml: bool, status: int = 200) -> Reply:
    """The value as JSON or, under the root element, as XML."""
    if not is_xml:
        return json_reply(value, status=status)
    top = ElementTree.Element(root)
    _append(top, value)
    body = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return Reply(status=status, body=body, content_type="application/xml; charset=utf-8")


def _append(parent: ElementTree.Element, value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _append(ElementTree.SubElement(parent, key), each)
    elif isinstance(value, list):
        for each in value:
            _append(ElementTree.SubElement(parent, "item"), each)
    else:
        parent.text = str(value)
