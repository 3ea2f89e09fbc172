"""A call as the PABX sees it: the events that it tells on the channel, and what commands do to them."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from telephony.simulators.channels import packet
from telephony.simulators.fates import Delivery, Fate

# The carrier's words for what happens (see fates.py) -> name and result of the event; chosen here, none is public.
NAMES: dict[str, tuple[str, str]] = {
    "chamando": ("EVENTO_CHAMADA_CHAMANDO", ""),
    "atendeu": ("EVENTO_CHAMADA_ATENDIDA", ""),
    "desligou": ("EVENTO_CHAMADA_ENCERRADA", ""),
    "ocupado": ("EVENTO_CHAMADA_OCUPADA", ""),
    "nao atendeu": ("EVENTO_CHAMADA_NAO_ATENDIDA", ""),
    "não atendeu": ("EVENTO_CHAMADA_NAO_ATENDIDA", ""),
    "caixa postal": ("EVENTO_RESULTADO_CPD", "SECRETARIA"),
    "numero invalido": ("EVENTO_CHAMADA_INVALIDA", ""),
}


@dataclass(eq=False)
class PabxCall:
    """A dialed call; read by request threads and moved by the sender."""

    id: str
    data: str
    device: str
    channel_id: int
    fate: Fate
    carries_data: bool
    is_over: bool = False
    left: deque[tuple[str, str, bool]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.left.extend(self._events())

    def next_event(self) -> tuple[str, str, bool] | None:
        """Name, result, and whether it is to be broken; None at the end."""
        with self._lock:
            if not self.left:
                # One of which nothing is ever told is under way until somebody ends it.
                self.is_over = self.is_over or bool(self.fate.events)
                return None
            return self.left.popleft()

    def hang_up(self) -> None:
        """End the call; the events that were left are dropped."""
        with self._lock:
            self.left.clear()
            self.is_over = True

    def fields(self, result: str = "", **more: str) -> dict[str, Any]:
        """The object of an event about the call."""
        found = {"ID_CHAMADA": self.id, "DISPOSITIVO": self.device, **more}
        if self.carries_data:
            found["DADOS"] = self.data
        if result:
            found["RESULTADO"] = result
        return found

    def bytes_of(self, name: str, result: str, *, is_broken: bool, number: int) -> bytes:
        """One event on the wire."""
        data = packet(name, self.fields(result), number=number)
        if is_broken:
            return data[: len(data) // 2] + b"\n\n"
        if self.fate.delivery is Delivery.LATIN1:
            return packet(name, self.fields(result, OPERADORA="Telefônica"), number=number).decode().encode("latin-1")
        return data

    def _events(self) -> Iterator[tuple[str, str, bool]]:
        for position, word in enumerate(self.fate.events):
            name, result = NAMES[word]
            yield name, result, False
            if self.fate.delivery is Delivery.TWICE:
                yield name, result, False
            if self.fate.delivery is Delivery.MALFORMED and position == 0:
                yield name, result, True
