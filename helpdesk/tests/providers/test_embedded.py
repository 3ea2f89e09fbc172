"""The embedded assistant: it answers word by word with what the company wrote, or not at all."""

from __future__ import annotations

import pytest

from helpdesk.providers.base import ContactDetails, Passage, Question, SourceKind
from helpdesk.providers.embedded import EmbeddedAssistant

LONG = "\n\n".join(
    [
        "Sobre a loja. " + "Vendemos móveis desde 1980. " * 20,
        "Trocas e devoluções: você tem 30 dias para trocar um produto, com a nota fiscal.",
        "Garantia: um ano contra defeitos de fabricação.",
    ]
)
PASSAGES = [
    Passage(SourceKind.CANNED, "1", "Segunda via do boleto", "Peça a segunda via em loja.example.com/boletos."),
    Passage(SourceKind.CANNED, "2", "Horário de funcionamento", "Atendemos de segunda a sexta, das 8h às 18h."),
    Passage(SourceKind.ARTICLE, "3", "Prazo de entrega", "A entrega leva até 5 dias úteis na capital."),
    Passage(SourceKind.ARTICLE, "4", "Política da loja", LONG),
]
ASSISTANT = EmbeddedAssistant()


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Preciso da 2ª... da segunda via do meu boleto, por favor!", "1"),
        ("qual o HORARIO de voces?", "2"),
        ("quando entregam? qual o prazo", "3"),
        ("como faço para trocar um produto", "4"),
    ],
)
def test_a_question_finds_its_passage(text: str, source: str) -> None:
    suggestion = ASSISTANT.suggest(Question(text, PASSAGES))
    assert suggestion is not None
    assert [one.id for one in suggestion.sources] == [source]
    assert suggestion.text in suggestion.sources[0].text
    assert suggestion.confidence >= 0.5


@pytest.mark.parametrize("text", ["Oi, bom dia!", "", "😀", "?", "vocês consertam bicicleta elétrica", "a e o"])
def test_what_nobody_wrote_about_is_not_answered(text: str) -> None:
    assert ASSISTANT.suggest(Question(text, PASSAGES)) is None


def test_a_word_that_no_passage_knows_makes_it_less_sure() -> None:
    sure = ASSISTANT.suggest(Question("segunda via do boleto", PASSAGES))
    unsure = ASSISTANT.suggest(Question("boleto de financiamento de helicóptero usado", PASSAGES))
    assert sure is not None
    assert unsure is not None
    assert sure.confidence == 1.0
    assert unsure.confidence < 0.4


def test_of_a_long_article_the_paragraph_that_answers_is_said() -> None:
    suggestion = ASSISTANT.suggest(Question("quantos dias para trocar o produto com nota fiscal?", PASSAGES))
    assert suggestion is not None
    assert suggestion.text.startswith("Trocas e devoluções")
    assert "1980" not in suggestion.text


def test_keywords_are_found_like_a_title_and_not_shown_as_one() -> None:
    passage = Passage(SourceKind.ARTICLE, "5", "Prazo de entrega", "Cinco dias úteis.", keywords="frete, chega, demora")
    suggestion = ASSISTANT.suggest(Question("o frete demora?", [passage]))
    assert suggestion is not None
    assert [one.title for one in suggestion.sources] == ["Prazo de entrega"]


def test_without_passages_it_says_nothing() -> None:
    assert ASSISTANT.suggest(Question("segunda via do boleto", [])) is None


@pytest.mark.parametrize(
    ("text", "details"),
    [
        (
            "Oi, meu nome é Maria da Silva e meu e-mail é Maria.Silva@Example.com.br.",
            ContactDetails(name="Maria da Silva", email="maria.silva@example.com.br"),
        ),
        (
            "Me chamo João, da empresa Padaria Pão & Mel, falo de Belo Horizonte",
            ContactDetails(name="João", company="Padaria Pão & Mel", city="Belo Horizonte"),
        ),
        ("Sou o Pedro. Moro em Campinas/SP", ContactDetails(name="Pedro", city="Campinas")),
        ("meu tel é 11 98765-4321, CPF 123.456.789-09", ContactDetails(phone_e164="+5511987654321")),
        ("(21) 3333-4444 ou 21 99999-0000", ContactDetails(phone_e164="+552133334444")),
        ("pedido 123456789012, CPF 52998224725", ContactDetails()),
        ("sou o dono da loja e sou de confiança", ContactDetails()),
        ("meu nome é…", ContactDetails()),
    ],
)
def test_details_are_read_where_they_are_said_and_never_guessed(text: str, details: ContactDetails) -> None:
    assert ASSISTANT.contact_details([text]) == details


def test_the_latest_word_counts() -> None:
    texts = ["meu nome é Ana, ana@a.example", "corrigindo: meu nome é Ana Paula"]
    assert ASSISTANT.contact_details(texts) == ContactDetails(name="Ana Paula", email="ana@a.example")
