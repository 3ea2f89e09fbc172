"""What the PABX refuses, and the exact shape of what it answers."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from telephony.tests.simulators.predictive import EXAMPLE, PREDICTIVE_ONLY, call_body, post_call
from telephony.tests.simulators.running import Simulators

PATH = "/requests/1/chamada-preditiva"


def post(
    simulators: Simulators, *, path: str = PATH, headers: Mapping[str, str | None] | None = None, **body: Any
) -> requests.Response:
    """The answer to a POST whose path, headers and body are anything."""
    sent = {"x-api-key": simulators.api_key, **(headers or {})}
    return requests.post(simulators.digitro_url + path, headers=sent, timeout=5, **(body or {"json": call_body()}))


def test_the_id_has_the_shape_of_the_pages_example(simulators: Simulators) -> None:
    answer = post_call(simulators, EXAMPLE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert list(answer.json()) == ["ID_CHAMADA"]
    call_id = answer.json()["ID_CHAMADA"]
    assert len(call_id) == len("08/07/24 10:46:19 010A 0974/00") == 30
    assert re.fullmatch(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d [0-9A-F]{4} \d{4}/\d\d", call_id)
    (call,) = simulators.dialed_calls()
    assert call["id"] == call_id
    assert (call["number"], call["dados"], call["channel"]) == ("04832817000", "111222333-44;Fulano", 1)


def test_no_two_calls_share_an_id(simulators: Simulators) -> None:
    with requests.Session() as session:
        ids = {post_call(simulators, session=session).json()["ID_CHAMADA"] for _ in range(60)}
    assert len(ids) == 60


@pytest.mark.parametrize("key", [None, "wrong", "sim-api-key "[:-2]])
def test_a_wrong_key_is_401(simulators: Simulators, key: str | None) -> None:
    answer = post(simulators, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["erro"]) == (401, "Não autorizado")
    assert simulators.dialed_calls() == []


@pytest.mark.parametrize("channel", ["2", "01", "", "x"])
def test_a_channel_that_is_not_open_is_400(simulators: Simulators, channel: str) -> None:
    assert post(simulators, path=f"/requests/{channel}/chamada-preditiva").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"data": b'{"DISPOSITIVO": ', "headers": {"Content-Type": "application/json"}},
        {"data": b"", "headers": {"Content-Type": "application/json"}},
        {"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}},
        {"data": '{"DADOS": "S\u00e3o"}'.encode("latin-1"), "headers": {"Content-Type": "application/json"}},
        {"json": [EXAMPLE]},
        {"json": "text"},
        {"data": EXAMPLE},
        {"data": b"{}", "headers": {"Content-Type": "text/plain"}},
    ],
    ids=["broken", "empty", "deep", "latin1", "list", "string", "form", "text"],
)
def test_a_body_that_is_no_json_object_is_400(simulators: Simulators, body: dict[str, Any]) -> None:
    answer = post(simulators, **body)
    assert (answer.status_code, answer.json()["erro"]) == (400, "Pedido inválido")
    assert simulators.dialed_calls() == []


@pytest.mark.parametrize("key", EXAMPLE)
def test_each_key_is_required_and_must_be_text(simulators: Simulators, key: str) -> None:
    without = {name: value for name, value in call_body().items() if name != key}
    assert post_call(simulators, without).status_code == 400
    assert post_call(simulators, call_body() | {key: 1}).status_code == 400
    with_null = post_call(simulators, call_body() | {key: None})
    assert with_null.status_code == (200 if key in ("CONTA", "SENHA") else 400)


def test_a_key_that_the_page_does_not_have_is_400(simulators: Simulators) -> None:
    answer = post_call(simulators, call_body(PRIORIDADE="0"))
    assert answer.status_code == 400
    assert "PRIORIDADE" in answer.json()["mensagem"]


@pytest.mark.parametrize("changes", [{"DISPOSITIVO": "1"}, {"SENHA_DISPOSITIVO": "1"}])
def test_a_wrong_device_or_password_is_403(simulators: Simulators, changes: dict[str, str]) -> None:
    answer = post_call(simulators, call_body(**changes))
    assert (answer.status_code, answer.json()["erro"]) == (403, "Proibido")


@pytest.mark.parametrize("number", ["", "4832817001", "0483281701", "0483281700001", "+554832817001", "00832817001"])
def test_a_number_that_is_not_zero_area_and_subscriber_is_400(simulators: Simulators, number: str) -> None:
    answer = post_call(simulators, call_body(number))
    assert (answer.status_code, "IDENTIDADE_DESTINO" in answer.json()["mensagem"]) == (400, True)


@pytest.mark.parametrize("number", ["04832817001", "048991234501"])
def test_eight_and_nine_digits_are_numbers(simulators: Simulators, number: str) -> None:
    assert post_call(simulators, call_body(number)).status_code == 200


def test_the_order_of_checks_is_key_channel_body_device_number(simulators: Simulators) -> None:
    bad = call_body("1", DISPOSITIVO="1")
    elsewhere = "/requests/9/chamada-preditiva"
    assert post(simulators, path=elsewhere, headers={"x-api-key": "no"}, json=bad).status_code == 401
    assert "channelID" in post(simulators, path=elsewhere, json=bad).json()["mensagem"]
    assert post(simulators, json=bad).status_code == 403


def test_the_call_by_a_specific_route_takes_the_body_without_the_predictive_keys(simulators: Simulators) -> None:
    path = "/requests/1/chamada-rota-especifica"
    body = {key: value for key, value in call_body().items() if key not in PREDICTIVE_ONLY}
    assert "ID_CHAMADA" in post(simulators, path=path, json=body).json()
    assert post(simulators, path=path, json=call_body()).status_code == 400
    assert len(simulators.dialed_calls()) == 1


def test_the_slug_of_the_specific_route_is_an_option() -> None:
    body = {key: value for key, value in call_body().items() if key not in PREDICTIVE_ONLY}
    options = ("--specific-route-slug", "gera-rota", "--channel", "77", "--device", "", "--api-key", "other")
    with Simulators(digitro_options=options) as simulators:
        other = {"x-api-key": "other"}
        answer = post(simulators, path="/requests/77/gera-rota", headers=other, json=body | {"DISPOSITIVO": "9"})
        assert answer.status_code == 200
        assert post(simulators, path="/requests/77/chamada-rota-especifica", headers=other).status_code == 404


def test_other_methods_and_paths_are_answered_in_json(simulators: Simulators) -> None:
    assert requests.get(simulators.digitro_url + PATH, timeout=5).status_code == 405
    for path in ("/", "/requests/1", "/requests/1/altera-senha"):
        answer = post(simulators, path=path)
        assert (answer.status_code, answer.json()["erro"]) == (404, "Não encontrado")


def test_a_body_over_a_megabyte_is_413(simulators: Simulators) -> None:
    answer = post(simulators, data=b"x" * (1_048_576 + 1))
    assert (answer.status_code, answer.headers["Connection"]) == (413, "close")


def test_every_request_is_counted_and_a_reset_forgets(simulators: Simulators) -> None:
    post_call(simulators)
    post_call(simulators, {})
    post_call(simulators, call_body("04832817013"))
    simulators.wait_until_quiet()
    pabx, carrier = simulators.stats()
    assert (pabx["requests"], pabx["refused"], pabx["dialed"], pabx["carrier told"]) == (3, 2, 1, 1)
    assert (pabx["status 200"], pabx["status 400"], pabx["status 500"]) == (1, 1, 1)
    assert carrier["calls"] == 1
    simulators.reset()
    assert simulators.stats() == ({}, {"calls waiting": 0})
    assert simulators.dialed_calls() == simulators.recorded_calls() == simulators.carrier_calls() == []
