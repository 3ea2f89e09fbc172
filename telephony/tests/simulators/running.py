"""Both simulators as processes of their own, for any test that needs a PABX and a carrier."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

REPOSITORY = Path(__file__).resolve().parents[3]
START_TIMEOUT_SECONDS = 20
STOP_TIMEOUT_SECONDS = 10
_HTTP_TIMEOUT_SECONDS = (5, 10)


class SimulatorProcess:
    """One running ``python -m telephony.simulators …``.

    *Errors* - RuntimeError when it ends, or says nothing, instead of listening.
    """

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "telephony.simulators", *words],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout is not None
        is_ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_SECONDS)
        line = self._process.stdout.readline().decode() if is_ready else ""
        if not line.startswith("listening on "):
            self._process.kill()
            self.stop()
            raise RuntimeError(f"the simulator {words[0]} did not start: {line!r}")
        self.url = line.removeprefix("listening on ").strip()
        self.pid = self._process.pid

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code, once the process has ended by itself."""
        code = self._process.wait(STOP_TIMEOUT_SECONDS)
        self.stop()
        return code

    def stop(self) -> int:
        """End the process (SIGTERM, then SIGKILL); its exit code. Safe to repeat."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            if self._process.stdout is not None:
                self._process.stdout.close()

    def kill(self) -> None:
        """End the process with SIGKILL, as a crash would."""
        self._process.kill()
        self.stop()


class Simulators:
    """A Dígitro PABX and a Directcall carrier that know of each other; use it in a ``with``.

    *Shape* - ``digitro_options`` and ``directcall_options`` are further command-line words; ``directory`` is where the
    record of dialed calls is kept (a temporary one when not given).
    """

    api_key = "sim-api-key"
    channel = 1
    device = "1125000"
    device_password = "4567"
    client_id = "demo@example.com"
    client_secret = "123456"

    def __init__(
        self,
        *,
        directory: Path | None = None,
        seed: int = 1,
        answer_delay_ms: float = 1,
        event_delay_ms: float = 20,
        hang_seconds: float = 2,
        digitro_options: Sequence[str] = (),
        directcall_options: Sequence[str] = (),
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory() if directory is None else None
        self.record_path = Path(self._temporary.name if self._temporary else str(directory)) / "dialed.jsonl"
        self._directcall_words = (
            "directcall", "--port", "0", "--seed", str(seed), "--event-delay-ms", str(event_delay_ms),
            *directcall_options,
        )  # fmt: skip
        self._digitro_words = (
            "digitro", "--port", "0", "--seed", str(seed), "--answer-delay-ms", str(answer_delay_ms),
            "--hang-seconds", str(hang_seconds), "--record", str(self.record_path), *digitro_options,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy of the environment is not for 127.0.0.1
        self.directcall = SimulatorProcess(*self._directcall_words)
        try:
            self.digitro = SimulatorProcess(*self._digitro_words, "--carrier", self.directcall.url)
        except BaseException:
            self.directcall.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self.digitro.stop()
        self.directcall.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def digitro_url(self) -> str:
        """The PABX's base address, without a slash at the end."""
        return self.digitro.url

    @property
    def directcall_url(self) -> str:
        """The carrier's base address, without a slash at the end."""
        return self.directcall.url

    def dialed_calls(self) -> list[dict[str, Any]]:
        """Which phones rang, oldest first: ``{at, number, dados, id, fate, channel}`` each."""
        return list(self._get(f"{self.digitro_url}/_simulator/calls"))

    def recorded_calls(self) -> list[dict[str, Any]]:
        """The same, read from the record on the disk; works when the PABX is dead."""
        return [json.loads(line) for line in self.record_path.read_text(encoding="utf-8").splitlines()]

    def carrier_calls(self) -> list[dict[str, Any]]:
        """The calls as the carrier saw them."""
        return list(self._get(f"{self.directcall_url}/_simulator/calls"))

    def deliveries(self) -> list[dict[str, Any]]:
        """What came of every event's POST: ``{url, callerid, destino, status, malformed, http_status, error, at}``."""
        return list(self._get(f"{self.directcall_url}/_simulator/deliveries"))

    def stats(self) -> tuple[dict[str, int], dict[str, int]]:
        """The counts of the PABX and of the carrier."""
        return self._get(f"{self.digitro_url}/_simulator/stats"), self._get(f"{self.directcall_url}/_simulator/stats")

    def access_token(self) -> str:
        """A fresh token of the carrier."""
        form = {"client_id": self.client_id, "client_secret": self.client_secret}
        return str(self._post(f"{self.directcall_url}/request_token", form)["access_token"])

    def register_callback(self, url: str, *, pin: str = "") -> str:
        """Have the carrier send its events to this URL; the registration's code."""
        form = {"access_token": self.access_token(), "url": url, "pin": pin}
        return str(self._post(f"{self.directcall_url}/voz/add-callback", form)["code"])

    def reset(self) -> None:
        """Put both back to the state of their start, the record on the disk included."""
        self._post(f"{self.digitro_url}/_simulator/reset", {})
        self._post(f"{self.directcall_url}/_simulator/reset", {})

    def wait_until_quiet(self, *, timeout_seconds: float = 20) -> None:
        """Return once the carrier knows of every dialed call and every event has been sent."""
        ends = time.monotonic() + timeout_seconds
        while time.monotonic() < ends:
            pabx, carrier = self.stats()
            told = pabx.get("carrier told", 0) + pabx.get("carrier not told", 0)
            if pabx.get("dialed", 0) == told and carrier["calls waiting"] == 0:
                return
            time.sleep(0.02)
        raise TimeoutError(f"still busy after {timeout_seconds} s: {pabx} {carrier}")

    def _get(self, url: str) -> Any:
        answer = self._http.get(url, timeout=_HTTP_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def _post(self, url: str, form: dict[str, str]) -> Any:
        answer = self._http.post(url, data=form, timeout=_HTTP_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()
