"""What may be done with a call under way, and with a DAC device: the keys of each operation and what it does.

`executa-desvio` is public with its fields (https://docs-pabx.digitro.com/api-10270983); of the others only the names
are. Their slugs are chosen here, their fields by their siblings'.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from telephony.simulators.pabx_calls import NAMES, PabxCall

_DEVICE = frozenset({"DISPOSITIVO", "SENHA_DISPOSITIVO"})
_OF_A_CALL = _DEVICE | {"ID_CHAMADA"}

# Slug -> the keys that its body must have.
COMMANDS: dict[str, frozenset[str]] = {
    "executa-desvio": _OF_A_CALL | {"DISPOSITIVO_DESTINO", "PRIORIDADE", "DADOS"},
    "finaliza-chamada": _OF_A_CALL,
    "transfere-chamada": _OF_A_CALL | {"DISPOSITIVO_DESTINO"},
    "associa-dados": _OF_A_CALL | {"DADOS"},
    "login-dac": _DEVICE | {"CONTA", "SENHA", "ACAO"},
}
NULLABLE: dict[str, frozenset[str]] = {
    "executa-desvio": frozenset({"DADOS"}),
    "login-dac": frozenset({"CONTA", "SENHA"}),
}
_PRIORITIES = {str(number) for number in range(20)}


class CommandDesk:
    """The calls under way and the devices that are logged in."""

    def __init__(self, tell: Callable[[PabxCall, str, dict[str, str]], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._calls: dict[str, PabxCall] = {}
        self.done: list[dict[str, Any]] = []
        self.devices: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    def add(self, call: PabxCall) -> None:
        """A call that may be commanded from now on."""
        with self._lock:
            self._calls[call.id] = call

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._calls.clear()
            self.done.clear()
            self.devices.clear()
            self.counts.clear()

    def run(self, slug: str, body: dict[str, str | None]) -> str:
        """Do what the command says; why not, or an empty text when it was done."""
        with self._lock:
            call = self._calls.get(body.get("ID_CHAMADA") or "")
        if "ID_CHAMADA" in COMMANDS[slug] and (call is None or call.is_over):
            return "ID_CHAMADA não é o de uma chamada em curso"
        problem = self._do(slug, body, call)
        if not problem:
            with self._lock:
                self.done.append({"slug": slug, **{k: v for k, v in body.items() if "SENHA" not in k}})
        return problem

    def _do(self, slug: str, body: dict[str, str | None], call: PabxCall | None) -> str:
        if slug == "login-dac":
            if body["ACAO"] not in ("LOGIN", "LOGOUT"):
                return "ACAO deve ser LOGIN ou LOGOUT"
            self.devices[body["DISPOSITIVO"] or ""] = body["ACAO"] or ""
            return ""
        assert call is not None
        to = body.get("DISPOSITIVO_DESTINO") or ""
        if "DISPOSITIVO_DESTINO" in COMMANDS[slug] and not to.isdigit():
            return "DISPOSITIVO_DESTINO não é um dispositivo"
        match slug:
            case "finaliza-chamada":
                call.hang_up()
                self._tell(call, NAMES["desligou"][0], {})
            case "transfere-chamada":
                self._tell(call, "EVENTO_CHAMADA_TRANSFERIDA", {"DISPOSITIVO_DESTINO": to})
            case "executa-desvio":
                if body["PRIORIDADE"] not in _PRIORITIES:
                    return "PRIORIDADE deve ser de 0 a 19"
                self._tell(call, "EVENTO_CHAMADA_DESVIADA", {"DISPOSITIVO_DESTINO": to})
            case "associa-dados":
                call.data = body["DADOS"] or ""
                self._tell(call, "EVENTO_DADOS_ASSOCIADOS", {})
        return ""
