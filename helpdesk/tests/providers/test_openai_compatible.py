"""The assistant behind an endpoint: what it is told, what it may answer, and every way in which it can fail."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from helpdesk.providers.base import (
    AssistantError,
    ContactDetails,
    Passage,
    Question,
    Refused,
    Said,
    SourceKind,
    Unavailable,
    Unreadable,
)
from helpdesk.providers.choice import chosen_assistant
from helpdesk.providers.embedded import EmbeddedAssistant
from helpdesk.providers.openai_compatible import wire
from helpdesk.providers.openai_compatible.client import Endpoint, OpenAICompatibleAssistant
from helpdesk.simulators.assistant import AssistantServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSAGES = [
    Passage(SourceKind.CANNED, "1", "Segunda via do boleto", "Peça a segunda via em loja.example.com/boletos."),
    Passage(SourceKind.ARTICLE, "2", "Prazo de entrega", "A entrega leva até 5 dias úteis."),
]


@pytest.fixture(scope="module")
def server() -> Iterator[AssistantServer]:
    with AssistantServer() as running:
        yield running


def assistant(server: AssistantServer, *, total_seconds: float = 10.0) -> OpenAICompatibleAssistant:
    return OpenAICompatibleAssistant(
        Endpoint(server.base_url, "modelo-local", "sim-key", connect_seconds=2.0, total_seconds=total_seconds)
    )


def test_it_answers_from_the_passages_it_is_given_and_names_them(server: AssistantServer) -> None:
    question = Question("segunda via do boleto?", PASSAGES, history=[Said(True, "oi"), Said(False, "Olá!")])
    suggestion = assistant(server).suggest(question)
    assert suggestion is not None
    assert (suggestion.confidence, [one.id for one in suggestion.sources]) == (0.9, ["1"])
    asked = server.asked[-1]
    assert (asked["path"], asked["authorization"], asked["model"]) == (
        "/v1/chat/completions",
        "Bearer sim-key",
        "modelo-local",
    )
    assert [one["role"] for one in asked["messages"]] == ["system", "user", "assistant", "user"]
    # Only what has to do with the question leaves.
    assert "boletos" in asked["messages"][0]["content"]
    assert "dias úteis" not in asked["messages"][0]["content"]


def test_without_a_passage_that_speaks_of_it_nothing_is_asked(server: AssistantServer) -> None:
    before = len(server.asked)
    assert assistant(server).suggest(Question("conserta bicicleta?", PASSAGES)) is None
    assert len(server.asked) == before


@pytest.mark.parametrize("fate", ["sim-invent", "sim-nothing"])
def test_an_answer_without_a_source_is_none(server: AssistantServer, fate: str) -> None:
    assert assistant(server).suggest(Question(f"boleto {fate}", PASSAGES)) is None


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("sim-500", Unavailable),
        ("sim-429", Unavailable),
        ("sim-cut", Unavailable),
        ("sim-silence", Unavailable),
        ("sim-401", Refused),
        ("sim-redirect", Refused),
        ("sim-nonsense", Unreadable),
        ("sim-prose", Unreadable),
        ("sim-long", Unreadable),
    ],
)
def test_every_failure_is_an_error_of_ours_that_quotes_nothing(
    server: AssistantServer, fate: str, error: type[AssistantError]
) -> None:
    with pytest.raises(error) as caught:
        assistant(server, total_seconds=0.5 if fate == "sim-silence" else 10.0).suggest(
            Question(f"boleto do senhor Fulano {fate}", PASSAGES)
        )
    assert caught.value.permanent is (error is Refused)
    assert not {"Fulano", "sim-key", "127.0.0.1"} & set(caught.value.message.split())


def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", "m", connect_seconds=1.0)
        with pytest.raises(Unavailable):
            OpenAICompatibleAssistant(endpoint).suggest(Question("boleto", PASSAGES))


@pytest.mark.parametrize("base_url", ["", "nonsense", "ftp://127.0.0.1/v1"])
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(Refused):
        OpenAICompatibleAssistant(Endpoint(base_url, "m")).suggest(Question("boleto", PASSAGES))


def test_details_that_the_model_made_up_are_left_out(server: AssistantServer) -> None:
    details = assistant(server).contact_details(["meu nome é Maria", "maria@a.example"])
    assert details == ContactDetails(name="Maria", email="maria@a.example")


@pytest.mark.parametrize(
    "written",
    [
        '{"resposta": 1, "fontes": [1], "confianca": 1}',
        '{"resposta": "x", "fontes": 1, "confianca": 1}',
        '{"resposta": "x", "fontes": [1], "confianca": "alta"}',
        '{"resposta": "x", "fontes": [1]}',
        "{",
        "}{",
        "",
    ],
)
def test_an_object_of_another_shape_is_unreadable(written: str) -> None:
    content = json.dumps({"choices": [{"message": {"content": written}}]}).encode()
    with pytest.raises(Unreadable):
        wire.read_suggestion(content, PASSAGES)


@pytest.mark.parametrize(("claimed", "confidence"), [("7", 1.0), ("-1", 0.0), ("NaN", 0.0), ("0.25", 0.25)])
def test_a_confidence_lies_between_0_and_1(claimed: str, confidence: float) -> None:
    written = f'{{"resposta": "x", "fontes": [2, 9, true, 2], "confianca": {claimed}}}'
    content = json.dumps({"choices": [{"message": {"content": written}}]}).encode()
    suggestion = wire.read_suggestion(content, PASSAGES)
    assert suggestion is not None
    assert (suggestion.confidence, [one.id for one in suggestion.sources]) == (confidence, ["2"])


def test_texts_leave_only_with_an_address_and_the_companys_leave(settings: Any) -> None:
    assert isinstance(chosen_assistant(may_leave=True), EmbeddedAssistant)
    settings.ASSISTANT_BASE_URL = "https://ia.example.com/v1"
    assert isinstance(chosen_assistant(may_leave=False), EmbeddedAssistant)
    assert isinstance(chosen_assistant(may_leave=True), OpenAICompatibleAssistant)
