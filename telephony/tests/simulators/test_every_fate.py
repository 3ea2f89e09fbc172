"""Each row of the table of fates, played by both programs over HTTP."""

import json
import time
from urllib.parse import parse_qs

import pytest
import requests

from telephony.simulators.fates import FATES, Answer, Fate
from telephony.tests.simulators.predictive import call_body, post_call
from telephony.tests.simulators.receiver import Receiver
from telephony.tests.simulators.running import Simulators


def events_in(receiver: Receiver) -> list[dict[str, str]]:
    """The ``data`` of each event received."""
    return [json.loads(parse_qs(body.decode())["data"][0]) for body in receiver.bodies()]


def played(simulators: Simulators, receiver: Receiver, digits: str) -> requests.Response:
    """The answer to a call with this fate, once all of its events are out."""
    simulators.register_callback(receiver.url)
    answer = post_call(simulators, call_body(f"048991234{digits}"))
    simulators.wait_until_quiet()
    return answer


@pytest.mark.parametrize("fate", FATES.values(), ids=lambda fate: fate.name)
def test_the_post_the_record_and_the_events_are_those_of_the_table(
    fate: Fate, simulators: Simulators, receiver: Receiver
) -> None:
    if fate.status_code is None:
        with pytest.raises(requests.ConnectionError):
            played(simulators, receiver, fate.digits)
        simulators.wait_until_quiet()
    else:
        answer = played(simulators, receiver, fate.digits)
        assert answer.status_code == fate.status_code
        assert ("ID_CHAMADA" in answer.json()) == (fate.answer is Answer.ID)
    dialed = [(call["number"], call["fate"]) for call in simulators.recorded_calls()]
    assert dialed == ([(f"048991234{fate.digits}", fate.name)] if fate.dialed else [])
    assert simulators.dialed_calls() == simulators.recorded_calls()
    sent = [each["status"] for each in simulators.deliveries() if not each["malformed"]]
    assert list(dict.fromkeys(sent)) == list(fate.events)
    assert len(receiver.received) == len(simulators.deliveries())


def test_an_event_says_which_call_to_whom_and_how_long(simulators: Simulators, receiver: Receiver) -> None:
    played(simulators, receiver, "01")
    events = events_in(receiver)
    assert [event["status"] for event in events] == ["chamando", "atendeu", "desligou"]
    assert {tuple(event) for event in events} == {
        ("callerid", "origem", "destino", "status", "inicio", "duracao", "pin")
    }
    assert {(event["origem"], event["destino"]) for event in events} == {("1112000", "554899123401")}
    assert {event["callerid"] for event in events} == {simulators.carrier_calls()[0]["callerid"]}
    assert [event["duracao"] == "00:00:00" for event in events] == [True, True, False]
    assert {each.headers["Content-Type"] for each in receiver.received} == {"application/x-www-form-urlencoded"}


def test_events_wait_for_the_answer_to_the_post(simulators: Simulators, receiver: Receiver) -> None:
    simulators.register_callback(receiver.url)
    post_call(simulators, call_body("04899123401"))
    answered_at = time.monotonic()
    assert receiver.wait_for(3)[0].at_monotonic > answered_at - 0.01


def test_the_early_event_is_there_before_the_answer(simulators: Simulators, receiver: Receiver) -> None:
    simulators.register_callback(receiver.url)
    post_call(simulators, call_body("04899123421"))
    assert [event["status"] for event in events_in(receiver)][:1] == ["chamando"]
    simulators.wait_until_quiet()
    assert [event["status"] for event in events_in(receiver)] == ["chamando", "atendeu", "desligou"]


def test_every_event_comes_twice_alike(simulators: Simulators, receiver: Receiver) -> None:
    played(simulators, receiver, "20")
    bodies = receiver.bodies()
    assert len(bodies) == 6
    assert bodies[0::2] == bodies[1::2]


def test_reversed_events_begin_with_the_hang_up(simulators: Simulators, receiver: Receiver) -> None:
    played(simulators, receiver, "22")
    assert [event["status"] for event in events_in(receiver)] == ["desligou", "atendeu", "chamando"]


def test_a_broken_body_comes_among_good_ones(simulators: Simulators, receiver: Receiver) -> None:
    played(simulators, receiver, "24")
    first, broken, *others = receiver.bodies()
    with pytest.raises(json.JSONDecodeError):
        json.loads(parse_qs(broken.decode())["data"][0])
    words = [json.loads(parse_qs(body.decode())["data"][0])["status"] for body in (first, *others)]
    assert words == ["chamando", "atendeu", "desligou"]


def test_latin1_events_are_raw_bytes_and_no_utf8(simulators: Simulators, receiver: Receiver) -> None:
    played(simulators, receiver, "25")
    body = receiver.bodies()[-1]
    assert b"n\xe3o atendeu" in body
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert json.loads(body.decode("latin-1").removeprefix("data="))["status"] == "não atendeu"


def test_a_reset_is_a_reset_and_not_an_orderly_close(simulators: Simulators) -> None:
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        post_call(simulators, call_body("04899123417"))


def test_silence_lasts_as_long_as_asked_for(simulators: Simulators) -> None:
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        post_call(simulators, call_body("04899123415"))
    assert time.monotonic() - began >= 0.5
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{simulators.digitro_url}/requests/1/chamada-preditiva",
            json=call_body("04899123415"),
            headers={"x-api-key": simulators.api_key},
            timeout=(1, 0.1),
        )
    assert len(simulators.dialed_calls()) == 2


def test_a_drawn_number_comes_to_the_same_after_a_reset(simulators: Simulators) -> None:
    fates = []
    for _ in range(2):
        for _ in range(6):
            post_call(simulators, call_body("04832817000"))
        fates.append([call["fate"] for call in simulators.dialed_calls()])
        simulators.wait_until_quiet()
        simulators.reset()
    assert fates[0] == fates[1]
    assert len(fates[0]) == 6
