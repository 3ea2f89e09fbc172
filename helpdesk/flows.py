"""The bot's flows: what it says, given where it stands and what was written to it. Pure; knows no database.

    opening(flow) ──► Turn ──position──► answer(flow, position, text) ──► Turn ──► …
                        └── ending: HAND_OVER (to people) or CLOSE

A step is said and then either waits for an answer (it has options), goes on to `next_step`, or ends the flow. An answer
picks an option by its key, its label or one of its words, whatever the case and accents. What picks none is answered
with the step again; after `tries` such answers in a row people take over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from callcenter.lib.texts import folded

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

# Steps that are said in one turn without waiting; a flow that wants more leads round in a circle.
MOST_STEPS_A_TURN: Final = 20
# Asks for a person wherever the bot stands.
HUMAN_WORDS: Final = frozenset({"atendente", "humano", "pessoa", "falar com atendente", "falar com um atendente"})


class Ending(StrEnum):
    """How a flow ends."""

    NONE = ""
    HAND_OVER = "hand_over"
    CLOSE = "close"


class Why(StrEnum):
    """Why the flow ended: by its own design, because a person was asked for, an open question was answered, …"""

    NONE = ""
    CHOSEN = "chosen"
    ASKED = "asked"
    ANSWERED = "answered"
    NOT_UNDERSTOOD = "not_understood"
    BROKEN = "broken"


@dataclass(frozen=True)
class Option:
    """One way on from a step: `key` is what the menu shows before the label ("1"); `words` mean the same.

    Where it leads is `next_step`; without one, `ending`. `team` = whose queue a hand-over goes to; None = as it is.
    """

    key: str
    label: str
    words: tuple[str, ...] = ()
    next_step: Hashable | None = None
    ending: Ending = Ending.HAND_OVER
    team: Hashable | None = None


@dataclass(frozen=True)
class Step:
    """What the bot says. With options it waits; else it goes on to `next_step`, or ends with `ending`.

    Neither options nor `next_step` nor `ending`: an open question, whose answer people read.
    """

    text: str
    options: tuple[Option, ...] = ()
    next_step: Hashable | None = None
    ending: Ending = Ending.NONE
    team: Hashable | None = None

    @property
    def shown(self) -> str:
        """The text with its menu."""
        menu = [f"{option.key} - {option.label}" if option.key else option.label for option in self.options]
        return "\n".join(filter(None, [self.text, *menu]))


@dataclass(frozen=True)
class Flow:
    """The steps by id, and the first one. `tries`: so many answers in a row may be not understood; 1 or more."""

    first: Hashable
    steps: Mapping[Hashable, Step] = field(default_factory=dict)
    tries: int = 3
    not_understood: str = ""


@dataclass(frozen=True)
class Position:
    """Where a conversation stands: the step that waits for an answer, and how many in a row it did not understand."""

    step: Hashable
    misses: int = 0


@dataclass(frozen=True)
class Saying:
    """One message of the bot; `step` is the one it belongs to."""

    step: Hashable
    text: str


@dataclass(frozen=True)
class Turn:
    """What the bot does: what it says, in order, and where it stands then. With an ending it waits for nothing more."""

    sayings: tuple[Saying, ...]
    position: Position
    ending: Ending = Ending.NONE
    why: Why = Why.NONE
    team: Hashable | None = None


def opening(flow: Flow) -> Turn:
    """The first turn of a conversation."""
    return _entered(flow, flow.first)


def answer(flow: Flow, position: Position, text: str) -> Turn:
    """The turn that answers what was written at the position."""
    step = flow.steps.get(position.step)
    if step is None:
        return Turn((), position, Ending.HAND_OVER, Why.BROKEN)
    option = _picked(step, text)
    if option is not None:
        if option.next_step is None:
            ending = option.ending or Ending.HAND_OVER
            return Turn((), Position(position.step), ending, Why.CHOSEN, option.team or step.team)
        return _entered(flow, option.next_step)
    if folded(text) in HUMAN_WORDS:
        return Turn((), Position(position.step), Ending.HAND_OVER, Why.ASKED, step.team)
    if not step.options:
        return Turn((), Position(position.step), Ending.HAND_OVER, Why.ANSWERED, step.team)
    misses = position.misses + 1
    if misses >= flow.tries:
        return Turn((), Position(position.step, misses), Ending.HAND_OVER, Why.NOT_UNDERSTOOD, step.team)
    repeated = "\n".join(filter(None, [flow.not_understood, step.shown]))
    return Turn((Saying(position.step, repeated),), Position(position.step, misses))


@dataclass(frozen=True)
class Line:
    """One line of a preview; `text` is empty for an ending, which `ending` and `why` then say."""

    is_bot: bool
    text: str = ""
    ending: Ending = Ending.NONE
    why: Why = Why.NONE


def preview(flow: Flow, answers: Iterable[str]) -> list[Line]:
    """The conversation that a visitor with these answers would have; what comes after its end is not asked."""
    turn = opening(flow)
    lines = _lines_of(turn)
    for text in answers:
        if turn.ending:
            break
        lines.append(Line(is_bot=False, text=text))
        turn = answer(flow, turn.position, text)
        lines += _lines_of(turn)
    return lines


def problems(flow: Flow) -> list[tuple[Hashable, str]]:
    """What is wrong with a flow, as (step, code): `no_first`, `missing_step`, `circle`, `same_key`, `unreachable`.

    A flow with problems still runs: where it breaks, people take over.
    """
    found: list[tuple[Hashable, str]] = []
    if flow.first not in flow.steps:
        found.append((flow.first, "no_first"))
    for key, step in flow.steps.items():
        leads_to = [step.next_step, *(option.next_step for option in step.options)]
        if any(target is not None and target not in flow.steps for target in leads_to):
            found.append((key, "missing_step"))
        keys = [folded(option.key) for option in step.options if option.key]
        if len(keys) != len(set(keys)):
            found.append((key, "same_key"))
        if _entered(flow, key).why == Why.BROKEN and not any(one == (key, "missing_step") for one in found):
            found.append((key, "circle"))
    reached = _reachable(flow)
    found.extend((key, "unreachable") for key in flow.steps if key not in reached)
    return found


def _entered(flow: Flow, first: Hashable) -> Turn:
    """Say steps from this one on until one waits or ends."""
    sayings: list[Saying] = []
    key: Hashable = first
    for _ in range(MOST_STEPS_A_TURN):
        step = flow.steps.get(key)
        if step is None:
            return Turn(tuple(sayings), Position(key), Ending.HAND_OVER, Why.BROKEN)
        if step.shown:
            sayings.append(Saying(key, step.shown))
        if step.options or (step.next_step is None and not step.ending):
            return Turn(tuple(sayings), Position(key))
        if step.next_step is None:
            return Turn(tuple(sayings), Position(key), step.ending, Why.CHOSEN, step.team)
        key = step.next_step
    return Turn(tuple(sayings), Position(key), Ending.HAND_OVER, Why.BROKEN)


def _lines_of(turn: Turn) -> list[Line]:
    said = [Line(is_bot=True, text=one.text) for one in turn.sayings]
    return [*said, Line(is_bot=True, ending=turn.ending, why=turn.why)] if turn.ending else said


def _picked(step: Step, text: str) -> Option | None:
    """The option that the text means: exactly by key, label or word, else the only one whose word stands in it."""
    said = folded(text)
    if not said:
        return None
    for option in step.options:
        if said in {folded(option.key), folded(option.label), *map(folded, option.words)}:
            return option
    # "quero a 2" and "segunda via do boleto por favor" mean one thing, as long as only one option is named.
    words = f" {said} "
    named = [
        option
        for option in step.options
        if any(f" {folded(word)} " in words for word in (option.key, option.label, *option.words) if folded(word))
    ]
    return named[0] if len(named) == 1 else None


def _reachable(flow: Flow) -> set[Hashable]:
    reached: set[Hashable] = set()
    ahead = [flow.first]
    while ahead:
        key = ahead.pop()
        step = flow.steps.get(key)
        if step is None or key in reached:
            continue
        reached.add(key)
        ahead.extend(one for one in (step.next_step, *(each.next_step for each in step.options)) if one is not None)
    return reached
