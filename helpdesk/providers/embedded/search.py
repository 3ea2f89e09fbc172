"""Finding the passage that answers a question: shared words, weighed by how rare they are among the passages.

    weight(w)   = ln(1 + N / n(w))          N passages, n(w) of them hold w; a word that none holds weighs as if one did
    share(p)    = Σ weight of the question's words in p × place / Σ weight of the question's words
    place       = 1 in the title, `BODY` in the text alone

The confidence is that share. A word of the question that no passage knows lowers it for all of them: what was never
written about is not answered.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from callcenter.lib.texts import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpdesk.providers.base import Passage

# What a word that stands only in the text counts, against 1 in the title.
BODY: Final = 0.85
# An answer in a chat is short; of a longer article, the paragraph that fits best and what follows it.
MOST_CHARACTERS: Final = 700
# Below two characters a word means nothing but in a number.
SHORTEST_WORD: Final = 2
# Words that carry no topic: articles, prepositions, pronouns, greetings, and the verbs with which one asks.
STOP_WORDS: Final = frozenset(
    word
    for line in (
        "a ai ao aos agora algum alguma antes apos aqui as ate bem boa bom cada com como da das de dela dele",
        "delas depois deve devo dia do dos e ela elas ele eles em entao era eram essa essas esse esses esta estao",
        "estar estas estava este estes estou eu favor fazer faco faz foi foram for fosse gostaria ha ir isso isto",
        "ja la lhe mais mas me mesmo meu meus minha minhas muito na nao nas nem no noite nos nossa nosso num numa o",
        "obrigado obrigada oi ola onde os ou para pela pelas pelo pelos pode podem poderia por porque posso pra pro",
        "preciso qual quais qualquer quando quanto quantos que quem quero queria saber sao se seja sem ser seria seu",
        "seus sim so sobre sou sua suas tal tambem tarde te tem tenho ter teu tudo um uma umas uns vai vc voce voces",
        "vou hi hello the is are of to and or my can how what where when does you",
    )
    for word in line.split()
)
# Endings of Portuguese words, longest first; what they leave must still say something. "pagamentos" and "pagar" meet.
_ENDINGS: Final = (
    *("amentos", "imentos", "amento", "imento", "adores", "zinhos", "zinhas"),
    *("zinho", "zinha", "ador", "ados", "adas", "ando", "endo", "indo", "aram", "eram", "iram", "aria", "eria", "iria"),
    *("amos", "emos", "imos", "ares", "eres", "ires", "coes", "cao", "ado", "ada", "ava", "ais", "eis", "ois", "oes"),
    *("aes", "ar", "er", "ir", "ou", "ei", "am", "em", "es", "os", "as", "a", "e", "o", "s"),
)
_SHORTEST_STEM: Final = 3
_PARAGRAPH: Final = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class Found:
    """A passage, the part of it that is said, and the confidence, 0 to 1."""

    passage: Passage
    excerpt: str
    confidence: float


def best_passage(text: str, passages: Sequence[Passage]) -> Found | None:
    """The passage that shares most with the question; None when none shares anything, or nothing was asked."""
    return next(iter(best_passages(text, passages, most=1)), None)


def best_passages(text: str, passages: Sequence[Passage], *, most: int) -> list[Found]:
    """The passages that share something with the question, the best first."""
    asked = frozenset(stems(text))
    titles = [frozenset(stems(f"{passage.title} {passage.keywords}")) for passage in passages]
    bodies = [frozenset(stems(passage.text)) for passage in passages]
    holders = Counter(word for title, body in zip(titles, bodies, strict=True) for word in (title | body) & asked)
    weights = {word: math.log(1 + len(passages) / max(holders[word], 1)) for word in asked}
    whole = sum(weights.values())

    def share(place: int) -> float:
        in_title = sum(weights[word] for word in asked & titles[place])
        in_body = sum(weights[word] for word in (asked & bodies[place]) - titles[place])
        return (in_title + BODY * in_body) / whole

    shares = {place: share(place) for place in range(len(passages))} if whole else {}
    # Of equals the one that is more about it: fewer other words in its title.
    ranked = sorted(shares, key=lambda place: (-shares[place], len(titles[place] - asked), place))
    return [
        Found(passages[place], _excerpt(passages[place].text, asked), round(shares[place], 3))
        for place in ranked[:most]
        if shares[place]
    ]


def stems(text: str) -> list[str]:
    """The words of a text that carry its topic, cut to their stems, in order."""
    words = folded(text).split()
    return [
        word if word.isdigit() else _stem(word)
        for word in words
        if word not in STOP_WORDS and len(word) >= SHORTEST_WORD
    ]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def _excerpt(text: str, asked: frozenset[str]) -> str:
    """The text, or of a long one the paragraph that shares most with the question and as many after it as fit."""
    text = text.strip()
    if len(text) <= MOST_CHARACTERS:
        return text
    paragraphs = [part.strip() for part in _PARAGRAPH.split(text) if part.strip()]
    shared = [len(asked & set(stems(part))) for part in paragraphs]
    first = max(range(len(paragraphs)), key=lambda place: (shared[place], -place))
    said = paragraphs[first]
    for part in paragraphs[first + 1 :]:
        if len(said) + len(part) + 2 > MOST_CHARACTERS:
            break
        said = f"{said}\n\n{part}"
    return said if len(said) <= MOST_CHARACTERS else f"{said[: MOST_CHARACTERS - 1].rsplit(' ', 1)[0]}…"
