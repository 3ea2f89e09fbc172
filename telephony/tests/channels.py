"""What the tests of event channels start from: a simulated PABX whose channels they can spoil, and their reader."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import requests
from django.db import connection
from django.utils import timezone

from callcenter.tests.programs import poll
from telephony.models import EventChannel
from telephony.services.channel_reading import ChannelProcess
from telephony.tests.simulators.running import SimulatorProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from telephony.models import DialerLine

EVENTS_PATH = "/canal-de-eventos"


class Pabx:
    """The simulated PABX as a program, and its back door."""

    def __init__(self, *words: str) -> None:
        self.process = SimulatorProcess(
            "digitro", "--port", "0", "--heartbeat-seconds", "0.1", "--event-delay-ms", "10",
            "--answer-delay-ms", "1", "--hang-seconds", "1", *words,
        )  # fmt: skip
        self.url = self.process.url

    def stop(self) -> None:
        """End it."""
        self.process.stop()

    def reset(self) -> None:
        """Put it back to its start; open channels end."""
        requests.post(f"{self.url}/_simulator/reset", timeout=5).raise_for_status()

    def fault(self, name: str, *, times: int = 1) -> None:
        """Let the open channels, or the next openings, meet this."""
        requests.post(
            f"{self.url}/_simulator/channel", data={"fault": name, "times": times}, timeout=5
        ).raise_for_status()

    def next_command(self, answer: str) -> None:
        """How the next command is answered."""
        requests.post(f"{self.url}/_simulator/next-command", data={"answer": answer}, timeout=5).raise_for_status()

    def channels(self) -> dict[str, Any]:
        """Its open channels, and what happened to them."""
        return dict(requests.get(f"{self.url}/_simulator/channels", timeout=5).json())

    def commands(self) -> dict[str, Any]:
        """The commands that it carried out, and the devices that are logged in."""
        return dict(requests.get(f"{self.url}/_simulator/commands", timeout=5).json())

    def dialed(self) -> list[dict[str, Any]]:
        """Which phones rang."""
        return list(requests.get(f"{self.url}/_simulator/calls", timeout=5).json())


class Reading:
    """A channel process in a thread of this one; use it in a `with`."""

    def __init__(self) -> None:
        self.process = ChannelProcess()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.process.run()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()
        self._thread.join(20)


def channel_of(line: DialerLine) -> EventChannel:
    """The line's channel as it is stored now."""
    return EventChannel.objects.get(line=line)


def until(line: DialerLine, condition: Callable[[EventChannel], bool], *, seconds: float = 30) -> EventChannel:
    """The line's channel once it is so; fails with what it is instead."""

    def holds() -> bool:
        channel = EventChannel.objects.filter(line=line).first()
        return channel is not None and condition(channel)

    assert poll(holds, seconds=seconds), vars(EventChannel.objects.filter(line=line).first() or object)
    return channel_of(line)


def until_open(line: DialerLine, *, other_than: int | None = None) -> EventChannel:
    """The line's channel once it is open, with another number than before if one is named."""
    return until(line, lambda one: one.is_open(timezone.now()) and one.channel_id != other_than)
