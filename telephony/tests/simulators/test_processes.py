"""The programs as processes: start, help, a taken port, signals, crashes, and many calls at once."""

import http.client
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from telephony.simulators.fates import FATES
from telephony.tests.simulators.predictive import call_body, post_call
from telephony.tests.simulators.receiver import Receiver
from telephony.tests.simulators.running import REPOSITORY, SimulatorProcess, Simulators

PROGRAMS = pytest.mark.parametrize("name", ["digitro", "directcall"])


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line's output, once it has ended by itself."""
    command = [sys.executable, "-m", "telephony.simulators", *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=False)


@PROGRAMS
def test_the_help_explains_every_fate(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0
    assert all(f"  {fate.digits}  {fate.meaning}" in done.stdout for fate in FATES.values())


@PROGRAMS
def test_a_taken_port_is_one_sentence_and_code_2(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(name, "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port\n"


@pytest.mark.parametrize(
    "words",
    [
        ["neither"],
        ["digitro", "--port", "x"],
        ["digitro", "--port", "70000"],
        ["digitro", "--answer-delay-ms", "-1"],
        ["digitro", "--carrier", "nowhere"],
        ["digitro", "--record", "/nowhere/dialed.jsonl"],
        ["directcall", "--callback", "nowhere"],
        ["directcall", "--event-delay-ms", "nan"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_told_without_a_traceback(words: list[str]) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert words[-1] in done.stderr


@PROGRAMS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0_even_with_a_connection_open(name: str, number: signal.Signals) -> None:
    process = SimulatorProcess(name, "--port", "0")
    address = urlsplit(process.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b'{"status": "ok"}'
    process.send_signal(number)
    assert process.wait() == 0
    connection.close()


def test_a_signal_ends_a_silence_at_once() -> None:
    with Simulators(hang_seconds=60) as simulators, ThreadPoolExecutor() as pool:
        hanging = pool.submit(post_call, simulators, call_body("04832817015"))
        while not simulators.dialed_calls():
            assert not hanging.done()
        assert simulators.digitro.stop() == 0
        with pytest.raises(requests.ConnectionError):
            hanging.result(5)


def test_what_was_answered_is_on_the_disk_after_a_crash(tmp_path: Path) -> None:
    with Simulators(directory=tmp_path) as simulators:
        ids = [post_call(simulators).json()["ID_CHAMADA"] for _ in range(3)]
        simulators.digitro.kill()
        assert [call["id"] for call in simulators.recorded_calls()] == ids
    with Simulators(directory=tmp_path) as simulators:
        ids.append(post_call(simulators).json()["ID_CHAMADA"])
        assert [call["id"] for call in simulators.recorded_calls()] == ids


def test_calls_go_on_when_the_carrier_is_dead() -> None:
    with Simulators() as simulators:
        simulators.directcall.kill()
        for digits in ("01", "21"):
            assert post_call(simulators, call_body(f"048328170{digits}")).status_code == 200
        assert len(simulators.dialed_calls()) == 2


def test_the_programs_load_nothing_but_the_standard_library_and_themselves() -> None:
    # -S leaves site-packages out: an import from there fails.
    script = (
        "import sys; before = set(sys.modules); import telephony.simulators.__main__\n"
        "print(*(name for name in set(sys.modules) - before if name.split('.')[0] not in sys.stdlib_module_names))"
    )
    command = [sys.executable, "-S", "-c", script]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=True)
    loaded = set(done.stdout.split())
    assert "telephony.simulators.digitro" in loaded
    assert {name for name in loaded if not name.startswith("telephony.simulators")} == {"telephony"}


def test_six_hundred_calls_fifty_at_once_all_ring_and_all_their_events_arrive(receiver: Receiver) -> None:
    numbers = [f"0489{i:06d}{'01' if i % 2 else '02'}" for i in range(600)]
    with Simulators(event_delay_ms=5) as simulators, ThreadPoolExecutor(50) as pool:
        simulators.register_callback(receiver.url)
        answers = list(pool.map(lambda number: post_call(simulators, call_body(number)), numbers))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["ID_CHAMADA"] for answer in answers}) == 600
        assert sorted(call["number"] for call in simulators.recorded_calls()) == sorted(numbers)
        simulators.wait_until_quiet(timeout_seconds=60)
        deliveries = simulators.deliveries()
        assert {(each["http_status"], each["error"]) for each in deliveries} == {(200, "")}
        assert len(receiver.received) == len(deliveries) == 300 * 3 + 300 * 2
        by_call: dict[str, list[str]] = {}
        for each in deliveries:
            by_call.setdefault(each["callerid"], []).append(each["status"])
        assert {tuple(words) for words in by_call.values()} == {
            ("chamando", "atendeu", "desligou"), ("chamando", "ocupado")
        }  # fmt: skip
