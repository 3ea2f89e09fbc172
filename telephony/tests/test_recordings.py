"""The recording of a call is heard through us, by who may, from the carrier's hosts only, and that is written down."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.tests.factories import make_attendant, make_company, make_supervisor
from telephony.models import CallAttempt, DialerLine, DirectcallAccount, RecordingPlay
from telephony.services.recordings import is_carriers_host
from telephony.tests.scenes import deliver, fresh, make_callcenter, placed_call
from telephony.tests.simulators.running import SimulatorProcess
from telephony.tests.test_asking import tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(directcall: SimulatorProcess, settings: Any) -> DialerLine:
    line = make_callcenter()
    DirectcallAccount.objects.update(base_url=directcall.url, client_id="demo@example.com", client_secret="123456")
    settings.RECORDING_HOSTS = ["directdial.com.br", urlsplit(directcall.url).netloc]
    return line


def answered_call(line: DialerLine, directcall: SimulatorProcess, **data: Any) -> CallAttempt:
    attempt = placed_call(line)
    callerid = tell(directcall, attempt, "answered", over=True)
    for word in ("atendeu", "desligou"):
        deliver(word, callerid=callerid, destino=attempt.phone_e164, **data)
    return fresh(attempt)[0]


def listen(client: Client, attempt: CallAttempt) -> Any:
    return client.get(reverse("admin:telephony_callattempt_recording", args=[attempt.pk]))


def test_a_supervisor_hears_the_recording_and_never_sees_where_it_lies(
    line: DialerLine, directcall: SimulatorProcess, client: Client
) -> None:
    attempt = answered_call(line, directcall)
    person = make_supervisor(line.company)
    client.force_login(person)
    page = client.get(reverse("admin:telephony_callattempt_change", args=[attempt.pk])).content.decode()
    assert "<audio" in page
    assert "gravacao" not in page
    answer = listen(client, attempt)
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/x-wav")
    assert "no-store" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content).startswith(b"RIFF")
    play = RecordingPlay.objects.get()
    assert (play.user, play.attempt, play.result) == (person, attempt, "played")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/extrato/gravacao/id/x",
        "http://169.254.169.254/latest/meta-data",
        "https://directdial.com.br.evil.example/x",
        "http://user@directdial.com.br/x",
    ],
)
def test_nothing_is_fetched_from_where_the_carrier_is_not(
    line: DialerLine, directcall: SimulatorProcess, client: Client, url: str
) -> None:
    attempt = answered_call(line, directcall, gravacao_link=url)
    client.force_login(make_supervisor(line.company))
    answer = listen(client, attempt)
    assert answer.status_code == 404
    assert "não é da operadora" in answer.content.decode()
    assert RecordingPlay.objects.get().result == "conflict"


def test_a_call_without_a_recording_says_so(line: DialerLine, directcall: SimulatorProcess, client: Client) -> None:
    attempt = placed_call(line)
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    client.force_login(make_supervisor(line.company))
    assert "não tem gravação" in listen(client, attempt).content.decode()
    # A link of the carrier's that leads to no sound.
    gone = answered_call(line, directcall, gravacao_link=f"{directcall.url}/extrato/gravacao/id/none")
    assert "não tem gravação" in listen(client, gone).content.decode()
    assert list(RecordingPlay.objects.values_list("result", flat=True)) == ["not_found", "not_found"]


def test_neither_attendants_nor_people_of_other_companies_hear_it(
    line: DialerLine, directcall: SimulatorProcess, client: Client
) -> None:
    attempt = answered_call(line, directcall)
    client.force_login(make_attendant(line.company))
    assert listen(client, attempt).status_code == 403
    assert b"<audio" not in client.get(reverse("admin:telephony_callattempt_change", args=[attempt.pk])).content
    client.force_login(make_supervisor(make_company()))
    assert listen(client, attempt).status_code == 404
    assert not RecordingPlay.objects.exists()


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        ("http://www.directdial.com.br/extrato/gravacao/id/7a", True),
        ("https://dcweb.directdial.com.br/x", True),
        ("https://DIRECTDIAL.com.br/x", True),
        ("https://directdial.com.br:8443/x", False),
        ("https://xdirectdial.com.br/x", False),
        ("ftp://directdial.com.br/x", False),
        ("https://directdial.com.br@evil.example/x", False),
        ("https://[::1/x", False),
        ("", False),
    ],
)
def test_the_carriers_hosts_are_known_by_their_whole_name(url: str, is_theirs: bool, settings: Any) -> None:
    settings.RECORDING_HOSTS = ["directdial.com.br"]
    assert is_carriers_host(url) is is_theirs
