"""Each method of the client against the carrier's simulator, in JSON and in XML, and what its faults come to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from telephony.providers.base import Ambiguous, Misconfigured, ProviderError, Refused, Unavailable
from telephony.providers.directcall import wire
from telephony.providers.directcall.client import AccountAccess, DirectcallClient
from telephony.providers.directcall.records import StatementPage, Vocabulary, read_page, read_records
from telephony.providers.http import Timeouts
from telephony.tests.providers.test_directcall_client import Tokens
from telephony.tests.simulators.running import SimulatorProcess

ORIGIN, ANSWERED, BUSY = "551130300001", "5511999990001", "5511999990002"
NOT_DIALED, NO_NEWS = "5511999990010", "5511999990023"

# http://doc.directcallsoft.com/pages/viewpage.action?pageId=329624, verbatim.
STATUS_EXAMPLE = (
    b'{"api":"voz","modulo":"status","status":"ok","codigo":"000","msg":[{"telefone":" 55 41  3017 5726",'
    b'"status":"atendida","inicio":"2013-02-21 18:28:14","duracao":"00:00:00"}]}'
)
# http://doc.directcallsoft.com/pages/viewpage.action?pageId=329648, verbatim but for the second line.
RECORDINGS_EXAMPLE = (
    b'{"api":"extrato","modulo":"extrato","status":"ok","codigo":"000","msg":[{"origem":"554198898765",'
    b'"destino":"554133149400","inicio":"2013-01-29 10:36:46","gravacao_link":'
    b'"http:\\/\\/www.directdial.com.br\\/extrato\\/gravacao\\/id\\/7abeb75d342c06f61df4277469bf22443ba1fcb2"}],'
    b'"paginas":"3"}'
)


def client_of(directcall: SimulatorProcess, *, answer_format: str = "json", secret: str = "123456") -> DirectcallClient:
    return DirectcallClient(
        AccountAccess(directcall.url, "demo@example.com", secret),
        tokens=Tokens(),
        timeouts=Timeouts(connect_seconds=2, answer_seconds=5),
        answer_format=answer_format,
    )


def plan(directcall: SimulatorProcess, path: str, *faults: str) -> None:
    requests.post(
        f"{directcall.url}/_simulator/faults", json={"path": path, "faults": faults}, timeout=5
    ).raise_for_status()


def calls_made(directcall: SimulatorProcess) -> int:
    return len(requests.get(f"{directcall.url}/_simulator/calls", timeout=5).json())


def statement(client: DirectcallClient, **filters: Any) -> StatementPage:
    """A page of the last hour's statement."""
    now = datetime.now(UTC)
    return client.statement(since=now - timedelta(hours=1), until=now + timedelta(hours=1), **filters)


def failure(call: Callable[[], object]) -> type[ProviderError]:
    with pytest.raises(ProviderError) as raised:
        call()
    assert "9999" not in f"{raised.value!r} {raised.value.context}"
    return type(raised.value)


@pytest.mark.parametrize("answer_format", ["json", "xml"])
def test_a_call_is_made_asked_about_ended_and_listed(directcall: SimulatorProcess, answer_format: str) -> None:
    client = client_of(directcall, answer_format=answer_format)
    call_id = client.call(origin=ORIGIN, destination=ANSWERED, records=True, custom={"nome": "x"})
    (leg,) = client.call_status(origin=ORIGIN, destination=ANSWERED)
    assert leg.destination_e164 == f"+{ANSWERED}"
    assert leg.started_at is not None
    assert client.end_call(origin=ORIGIN, destination=ANSWERED) is True
    before = datetime.now(UTC)
    while client.call_status(origin=ORIGIN, destination=ANSWERED):
        assert datetime.now(UTC) - before < timedelta(seconds=20)
    assert client.end_call(origin=ORIGIN, destination=ANSWERED) is False
    page = statement(client, call_id=call_id)
    (record,) = page.records
    assert page.pages == 1
    assert (record.call_id, record.destination_e164, record.meaning) == (call_id, f"+{ANSWERED}", "answered")
    assert record.duration_seconds
    assert record.recording_url.startswith(f"{directcall.url}/extrato/gravacao/id/")
    assert statement(client, destination=BUSY).records == []
    assert client.balance().amount == Decimal("1234.56")


def test_the_statement_comes_in_pages(directcall: SimulatorProcess) -> None:
    for _ in range(101):
        told = {"destino": NO_NEWS, "origem": ORIGIN, "fate": "no_events"}
        requests.post(f"{directcall.url}/_simulator/calls", json=told, timeout=5).raise_for_status()
    client = client_of(directcall)
    first = statement(client)
    assert (len(first.records), first.pages) == (100, 2)
    second = statement(client, page=2)
    assert len(second.records) == 1
    assert len({record.call_id for record in first.records + second.records}) == 101
    assert len(statement(client, with_recordings_only=True).records) == 100


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("html", Ambiguous),
        ("empty", Ambiguous),
        ("list", Ambiguous),
        ("500", Ambiguous),
        ("005", Unavailable),
        ("002", Unavailable),
        ("001", Refused),
        ("201", Misconfigured),
    ],
)
def test_a_call_is_never_made_twice_by_the_client(
    directcall: SimulatorProcess, fault: str, kind: type[ProviderError]
) -> None:
    plan(directcall, wire.CALL_PATH, fault)
    assert failure(lambda: client_of(directcall).call(origin=ORIGIN, destination=ANSWERED)) is kind
    assert calls_made(directcall) == 0


def test_a_call_that_was_made_without_an_answer_is_in_doubt(directcall: SimulatorProcess) -> None:
    plan(directcall, wire.CALL_PATH, "silence")
    assert failure(lambda: client_of(directcall).call(origin=ORIGIN, destination=ANSWERED)) is Ambiguous
    assert calls_made(directcall) == 1


@pytest.mark.parametrize("fault", ["html", "empty", "list", "500", "silence", "005"])
def test_a_read_is_tried_twice_and_nothing_is_in_doubt(directcall: SimulatorProcess, fault: str) -> None:
    client = client_of(directcall)
    plan(directcall, wire.STATEMENT_PATH, fault)
    assert statement(client).records == []
    plan(directcall, wire.STATEMENT_PATH, fault, fault)
    assert failure(lambda: statement(client)) is Unavailable


def test_an_unknown_return_code_of_a_call_may_be_a_call() -> None:
    assert not wire.read_envelope(b'{"status":"erro","codigo":"777"}').is_known
    # A page of XHTML is XML, and no envelope.
    assert not wire.read_envelope(b"<html><head/><body>x</body></html>").is_envelope


def test_the_vendors_examples_are_read() -> None:
    (leg,) = read_records(wire.read_envelope(STATUS_EXAMPLE), Vocabulary())
    assert (leg.destination_e164, leg.meaning, leg.duration_seconds) == ("+554130175726", "answered", 0)
    assert leg.started_at == datetime(2013, 2, 21, 21, 28, 14, tzinfo=UTC)
    page = read_page(wire.read_envelope(RECORDINGS_EXAMPLE), Vocabulary())
    (record,) = page.records
    assert page.pages == 3
    assert (record.destination_e164, record.meaning, record.call_id) == ("+554133149400", "unknown", "")
    assert record.recording_url.endswith("/7abeb75d342c06f61df4277469bf22443ba1fcb2")
    assert "4133149400" not in repr(record)


@pytest.mark.parametrize(
    ("msg", "count"),
    [
        ('"Nenhum registro encontrado"', 0),
        ("[]", 0),
        ("null", 0),
        ('{"0": {"destino": "554133149400"}}', 1),
        ('"[{\\"destino\\": \\"554133149400\\"}]"', 1),
        ('{"destino": 554133149400, "duracao": 30}', 1),
        ('[{"destino": ["x"], "callerid": null}, {"callerid": "a", "inicio": {"x": 1}, "duracao": "never"}]', 1),
    ],
)
def test_calls_are_found_however_they_are_wrapped(msg: str, count: int) -> None:
    envelope = wire.read_envelope(f'{{"status":"ok","codigo":"000","msg":{msg}}}'.encode())
    assert len(read_records(envelope, Vocabulary())) == count


def test_calls_of_an_unknown_shape_are_not_taken_for_none() -> None:
    with pytest.raises(wire.UnreadableAnswer):
        read_records(wire.read_envelope(b'{"status":"ok","codigo":"000","msg":[{"a":"b"}]}'), Vocabulary())


def test_numbers_and_instants_are_spelled_as_the_carrier_asks() -> None:
    assert wire.carrier_number("+5511999990001") == "5511999990001"
    for phone in ("+5540041234", "+558001234567", "+12025550123", ""):
        with pytest.raises(Refused):
            wire.carrier_number(phone)
    assert wire.filter_instant(datetime(2026, 3, 1, 2, 30, tzinfo=UTC)) == "20260228233000"
