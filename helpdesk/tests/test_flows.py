"""The bot's flows: which step follows which answer, and when people take over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpdesk.flows import Ending, Flow, Option, Position, Step, Why, answer, opening, preview, problems

FLOW = Flow(
    first="hello",
    steps={
        "hello": Step("Olá!", next_step="menu"),
        "menu": Step(
            "Como posso ajudar?",
            options=(
                Option("1", "Segunda via", words=("boleto",), next_step="invoice"),
                Option("2", "Horário", next_step="hours"),
                Option("3", "Falar com alguém"),
                Option("9", "Sair", ending=Ending.CLOSE),
            ),
        ),
        "invoice": Step("Qual é o seu pedido?"),
        "hours": Step("Das 8 às 18.", ending=Ending.CLOSE),
    },
    tries=3,
    not_understood="Não entendi.",
)
AT_MENU = Position("menu")


def test_the_bot_says_everything_up_to_the_first_question() -> None:
    turn = opening(FLOW)
    assert [one.step for one in turn.sayings] == ["hello", "menu"]
    assert turn.sayings[1].text == "Como posso ajudar?\n1 - Segunda via\n2 - Horário\n3 - Falar com alguém\n9 - Sair"
    assert (turn.position, turn.ending) == (AT_MENU, Ending.NONE)


@pytest.mark.parametrize("text", ["1", " 1. ", "segunda via", "SEGUNDA VIA!", "boleto", "quero o boleto, por favor"])
def test_an_option_is_picked_by_key_label_or_word(text: str) -> None:
    turn = answer(FLOW, AT_MENU, text)
    assert (turn.position, turn.ending) == (Position("invoice"), Ending.NONE)


@pytest.mark.parametrize(
    ("text", "ending", "why"),
    [
        ("2", Ending.CLOSE, Why.CHOSEN),
        ("horario", Ending.CLOSE, Why.CHOSEN),
        ("3", Ending.HAND_OVER, Why.CHOSEN),
        ("Sair", Ending.CLOSE, Why.CHOSEN),
        ("atendente", Ending.HAND_OVER, Why.ASKED),
    ],
)
def test_an_option_may_end_the_flow(text: str, ending: Ending, why: Why) -> None:
    turn = answer(FLOW, AT_MENU, text)
    assert (turn.ending, turn.why) == (ending, why)


@pytest.mark.parametrize("text", ["", "...", "bom dia", "12", "boleto ou horário", "😀"])
def test_what_picks_nothing_or_two_things_is_asked_again(text: str) -> None:
    turn = answer(FLOW, AT_MENU, text)
    assert turn.sayings[0].text.startswith("Não entendi.\nComo posso ajudar?")
    assert (turn.position, turn.ending) == (Position("menu", misses=1), Ending.NONE)


def test_the_third_answer_in_a_row_that_is_not_understood_hands_over() -> None:
    position = AT_MENU
    for _ in range(2):
        position = answer(FLOW, position, "bom dia").position
    turn = answer(FLOW, position, "bom dia")
    assert (turn.sayings, turn.ending, turn.why) == ((), Ending.HAND_OVER, Why.NOT_UNDERSTOOD)


def test_an_answer_that_is_understood_starts_the_count_anew() -> None:
    assert answer(FLOW, Position("menu", misses=2), "1").position == Position("invoice")


def test_the_answer_to_an_open_question_is_for_people() -> None:
    turn = answer(FLOW, Position("invoice"), "4711")
    assert (turn.ending, turn.why) == (Ending.HAND_OVER, Why.ANSWERED)


@pytest.mark.parametrize(
    ("flow", "found"),
    [
        (FLOW, []),
        (replace(FLOW, first="nowhere"), ["no_first", *["unreachable"] * 4]),
        (Flow("a", {"a": Step("A", next_step="b"), "b": Step("B", next_step="a")}), ["circle", "circle"]),
        (Flow("a", {"a": Step("A", next_step="gone")}), ["missing_step"]),
        (Flow("a", {"a": Step("A", options=(Option("1", "x"), Option("1", "y")))}), ["same_key"]),
        (Flow("a", {"a": Step("A"), "b": Step("B")}), ["unreachable"]),
    ],
)
def test_what_is_wrong_with_a_flow_is_found(flow: Flow, found: list[str]) -> None:
    assert [code for _step, code in problems(flow)] == found


def test_a_broken_flow_hands_over_to_people() -> None:
    circle = Flow("a", {"a": Step("", next_step="b"), "b": Step("", next_step="a")})
    assert (opening(circle).sayings, opening(circle).why) == ((), Why.BROKEN)
    assert answer(FLOW, Position("removed since"), "1").why == Why.BROKEN


def test_a_preview_shows_the_conversation_to_its_end() -> None:
    lines = preview(FLOW, ["olá", "horário", "never asked"])
    assert [line.is_bot for line in lines] == [True, True, False, True, False, True, True]
    assert (lines[-2].text, lines[-1].ending) == ("Das 8 às 18.", Ending.CLOSE)
