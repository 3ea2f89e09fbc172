"""Directcall's token, its callback registration and its voice methods, as its pages document them."""

import base64
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
import requests

from telephony.tests.simulators.receiver import Receiver
from telephony.tests.simulators.running import Simulators

# https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367, the example of a success, verbatim.
ADD_CALLBACK_EXAMPLE = (
    '{"api":"sms","modulo":"add-callback-status-chamada","status":"ok","codigo":"001",'
    '"msg":"URL de Callback cadastrada com sucesso.","code":"7cfa08f1bdc011d524d8ec8bbceb7d06df237a14"}'
)


def ask(simulators: Simulators, path: str, **form: str) -> Any:
    """The answer of a method that takes a form, with a fresh token unless one is given."""
    form = {"access_token": simulators.access_token(), **form}
    return requests.post(simulators.directcall_url + path, data=form, timeout=5).json()


def ask_by_query(simulators: Simulators, path: str, **query: str) -> Any:
    """The answer of a method that takes its parameters in the query."""
    query = {"access_token": simulators.access_token(), **query}
    return requests.get(simulators.directcall_url + path, params=query, timeout=5).json()


def tell(simulators: Simulators, **call: str) -> requests.Response:
    """The answer to a call told as the PABX tells it."""
    return requests.post(f"{simulators.directcall_url}/_simulator/calls", json=call, timeout=5)


def test_good_credentials_get_a_token(simulators: Simulators) -> None:
    form = {"client_id": simulators.client_id, "client_secret": simulators.client_secret}
    answer = requests.post(f"{simulators.directcall_url}/request_token", data=form, timeout=5)
    assert answer.status_code == 200
    assert re.fullmatch(r"[0-9a-f]{40}", answer.json()["access_token"])


@pytest.mark.parametrize("form", [{}, {"client_id": "demo@example.com"}, {"client_secret": "123456"},
                                  {"client_id": "demo@example.com", "client_secret": "wrong"}])  # fmt: skip
def test_bad_credentials_get_an_error_description(simulators: Simulators, form: dict[str, str]) -> None:
    answer = requests.post(f"{simulators.directcall_url}/request_token", data=form, timeout=5)
    assert answer.status_code == 401
    assert "access_token" not in answer.json()
    assert answer.json()["error_description"]


@pytest.mark.parametrize("path", ["/voz/add-callback", "/voz/list-callback", "/voz/remove-callback", "/voz/call"])
@pytest.mark.parametrize("token", ["", "0" * 40])
def test_a_wrong_token_is_code_006(simulators: Simulators, path: str, token: str) -> None:
    answer = ask(simulators, path, access_token=token, url="http://127.0.0.1:1/", code="x")
    assert (answer["status"], answer["codigo"]) == ("erro", "006")


def test_a_token_ends_when_its_time_is_up() -> None:
    with Simulators(directcall_options=("--token-seconds", "0.3")) as simulators:
        token = simulators.access_token()
        assert ask(simulators, "/voz/list-callback", access_token=token)["codigo"] == "000"
        ends = time.monotonic() + 5
        while (codigo := ask(simulators, "/voz/list-callback", access_token=token)["codigo"]) == "000":
            assert time.monotonic() < ends
            time.sleep(0.05)
        assert codigo == "006"
        assert ask(simulators, "/voz/list-callback")["codigo"] == "000"


def test_registering_answers_like_the_pages_example_to_the_key_order(simulators: Simulators) -> None:
    answer = ask(simulators, "/voz/add-callback", url="http://127.0.0.1:1/events")
    expected = json.loads(ADD_CALLBACK_EXAMPLE)
    assert re.fullmatch(r"[0-9a-f]{40}", answer["code"])
    assert list(answer.items())[:-1] == list(expected.items())[:-1]
    assert list(answer) == list(expected)


@pytest.mark.parametrize("url", ["", "events", "ftp://example.com/", "http://"])
def test_registering_without_an_address_is_an_error_with_the_same_code(simulators: Simulators, url: str) -> None:
    answer = ask(simulators, "/voz/add-callback", url=url)
    assert (answer["status"], answer["codigo"], "code" in answer) == ("erro", "001", False)


def test_registered_urls_are_listed_and_removed(simulators: Simulators) -> None:
    first = simulators.register_callback("http://127.0.0.1:1/a")
    second = simulators.register_callback("http://127.0.0.1:1/b", pin="4567")
    listed = ask(simulators, "/voz/list-callback")
    assert (listed["total"], listed["codigo"]) == (2, "000")
    assert listed["msg"] == [
        {"code": first, "url": "http://127.0.0.1:1/a", "pin": ""},
        {"code": second, "url": "http://127.0.0.1:1/b", "pin": "4567"},
    ]
    assert ask(simulators, "/voz/remove-callback", code=first)["codigo"] == "000"
    assert ask(simulators, "/voz/remove-callback", code=first)["codigo"] == "010"
    assert ask(simulators, "/voz/remove-callback")["codigo"] == "001"
    assert [each["code"] for each in ask(simulators, "/voz/list-callback")["msg"]] == [second]


def test_answers_are_xml_on_request(simulators: Simulators) -> None:
    form = {"client_id": simulators.client_id, "client_secret": simulators.client_secret, "format": "xml"}
    answer = requests.post(f"{simulators.directcall_url}/request_token", data=form, timeout=5)
    token = ElementTree.fromstring(answer.content)
    assert (token.tag, len(token.findtext("access_token") or "")) == ("oauth", 40)
    simulators.register_callback("http://127.0.0.1:1/a?x=1&y=2")
    form = {"access_token": simulators.access_token(), "format": "xml"}
    answer = requests.post(f"{simulators.directcall_url}/voz/list-callback", data=form, timeout=5)
    assert answer.headers["Content-Type"].startswith("application/xml")
    listed = ElementTree.fromstring(answer.content)
    assert (listed.tag, listed.findtext("total")) == ("directcall", "1")
    assert listed.findtext("msg/item/url") == "http://127.0.0.1:1/a?x=1&y=2"


def test_credentials_in_the_url_travel_as_basic(simulators: Simulators, receiver: Receiver) -> None:
    simulators.register_callback(f"http://carrier:p%40ss@127.0.0.1:{receiver.port}/hook/abc?x=1")
    tell(simulators, destino="554832817006")
    (event,) = receiver.wait_for(1)
    assert event.path == "/hook/abc?x=1"
    assert event.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert base64.b64decode(event.headers["Authorization"].removeprefix("Basic ")) == b"carrier:p@ss"
    simulators.wait_until_quiet()
    assert simulators.deliveries()[0]["url"] == f"http://127.0.0.1:{receiver.port}/hook/abc?x=1"


def test_every_registered_url_gets_every_event_with_its_own_pin(simulators: Simulators, receiver: Receiver) -> None:
    simulators.register_callback(receiver.url)
    simulators.register_callback(receiver.url, pin="1112000")
    tell(simulators, origem="1112000", destino="554832817002")
    events = [json.loads(parse_qs(each.body.decode())["data"][0]) for each in receiver.wait_for(4)]
    assert [(event["status"], event["pin"]) for event in events] == [
        ("chamando", ""), ("chamando", "1112000"), ("ocupado", ""), ("ocupado", "1112000")
    ]  # fmt: skip


def test_a_url_registered_for_a_pin_gets_no_events_of_others(simulators: Simulators, receiver: Receiver) -> None:
    simulators.register_callback(receiver.url, pin="1112001")
    tell(simulators, origem="1112000", destino="554832817002")
    tell(simulators, origem="1112001", destino="554832817006")
    simulators.wait_until_quiet()
    (event,) = receiver.received
    assert json.loads(parse_qs(event.body.decode())["data"][0])["origem"] == "1112001"


def test_several_callbacks_with_pins_are_registered_from_the_start() -> None:
    words = ["--callback", "http://127.0.0.1:1/a?b=c", "1112001=http://127.0.0.1:1/b"]
    with Simulators(directcall_options=words) as simulators:
        listed = ask(simulators, "/voz/list-callback")["msg"]
    assert [(each["pin"], each["url"]) for each in listed] == [
        ("", "http://127.0.0.1:1/a?b=c"), ("1112001", "http://127.0.0.1:1/b")
    ]  # fmt: skip


def test_an_event_is_sent_once_whatever_the_answer(simulators: Simulators) -> None:
    with Receiver(status=500) as failing, Receiver(status=302, location="http://127.0.0.1:1/") as elsewhere:
        for url in (failing.url, elsewhere.url, "http://127.0.0.1:1/closed"):
            simulators.register_callback(url)
        tell(simulators, destino="554832817006")
        simulators.wait_until_quiet()
        assert (len(failing.received), len(elsewhere.received)) == (1, 1)
    deliveries = simulators.deliveries()
    assert [each["http_status"] for each in deliveries] == [500, 302, None]
    assert "refused" in deliveries[2]["error"]


def test_callbacks_given_at_the_start_are_registered_and_survive_a_reset(receiver: Receiver) -> None:
    with Simulators(directcall_options=("--callback", receiver.url, "--event-delay-ms", "1")) as simulators:
        for count in (1, 2):
            tell(simulators, destino="554832817006")
            assert len(receiver.wait_for(count)) == count
            simulators.reset()
        assert ask(simulators, "/voz/list-callback")["total"] == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"destino": "55", "fate": "unheard"}', b'{"destino": 5}'])
def test_a_call_told_wrongly_is_400(simulators: Simulators, body: bytes) -> None:
    answer = requests.post(f"{simulators.directcall_url}/_simulator/calls", data=body, timeout=5)
    assert answer.status_code == 400
    assert simulators.carrier_calls() == []


def test_a_two_leg_call_answers_as_documented_and_sends_its_events(simulators: Simulators, receiver: Receiver) -> None:
    simulators.register_callback(receiver.url)
    answer = ask(simulators, "/voz/call", origem="554130600300", destino="5548991234501")
    # https://docs.api.directcall.com.br/wiki/x/TIJkAQ, the answer of /voz/call, but for its id.
    assert list(answer.items())[:-1] == [
        ("api", "voz"), ("modulo", "chamar"), ("status", "ok"), ("codigo", "000"),
        ("msg", "Completando a sua ligacao, por favor aguarde!"),
    ]  # fmt: skip
    events = [json.loads(parse_qs(each.body.decode())["data"][0]) for each in receiver.wait_for(3)]
    assert {(event["callerid"], event["origem"]) for event in events} == {(answer["callerid"], "554130600300")}
    assert ask(simulators, "/voz/call", origem="x", destino="5548991234501")["codigo"] == "001"
    assert ask(simulators, "/voz/call", origem="554130600300", destino="5548991234513")["codigo"] == "002"


def test_a_call_in_progress_can_be_asked_about_and_ended(receiver: Receiver) -> None:
    with Simulators(directcall_options=("--event-delay-ms", "300", "--callback", receiver.url)) as simulators:
        pair = {"origem": "554130600300", "destino": "5548991234501"}
        assert ask_by_query(simulators, "/voz/status", **pair)["codigo"] == "003"
        ask(simulators, "/voz/call", **pair)
        receiver.wait_for(2)
        (leg,) = ask_by_query(simulators, "/voz/status", **pair)["msg"]
        assert (leg["telefone"], leg["status"]) == ("5548991234501", "atendida")
        assert ask_by_query(simulators, "/voz/end", **pair)["codigo"] == "000"
        simulators.wait_until_quiet()
        assert ask_by_query(simulators, "/voz/end", **pair)["codigo"] == "003"
        assert [each["status"] for each in simulators.deliveries()] == ["chamando", "atendeu", "desligou"]


def test_an_unknown_path_is_404_in_json(simulators: Simulators) -> None:
    answer = requests.get(f"{simulators.directcall_url}/voz/add-callback", timeout=5)
    assert (answer.status_code, list(answer.json())) == (404, ["erro"])
