"""What a number's last two digits script: how the PABX answers, whether the phone rings, what the carrier reports."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Answer(StrEnum):
    """How the PABX ends the POST."""

    ID = "200 with ID_CHAMADA"
    WITHOUT_ID = "200 without ID_CHAMADA"
    ERROR = "an error status"
    SILENCE = "no answer at all"
    RESET = "the connection is reset"


class Delivery(StrEnum):
    """How the carrier sends the events."""

    ORDERLY = "one by one"
    TWICE = "each twice"
    EARLY = "the first before the answer to the POST"
    MALFORMED = "a broken body after the first"
    LATIN1 = "as raw Latin-1 bytes"


@dataclass(frozen=True)
class Fate:
    """One row of the table: what happens to a number that ends in ``digits``.

    *Shape* - ``status_code`` is None when the POST gets no HTTP answer; ``events`` are the status words in the order
    in which they are sent, before ``delivery`` doubles or breaks any.
    """

    digits: str
    name: str
    meaning: str
    status_code: int | None
    dialed: bool
    events: tuple[str, ...]
    answer: Answer = Answer.ID
    delivery: Delivery = Delivery.ORDERLY

    @property
    def is_answered(self) -> bool:
        """True when somebody picks up the phone."""
        return "atendeu" in self.events


# atendeu, ocupado and desligou are Directcall's own words; it publishes no others, so the rest are the plainest
# Portuguese for the case. https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367
_ANSWERED = ("chamando", "atendeu", "desligou")
_BUSY = ("chamando", "ocupado")
_NO_ANSWER = ("chamando", "nao atendeu")
_NO_ANSWER_TILDE = ("chamando", "não atendeu")

_TABLE = (
    Fate("01", "answered", "answered, then hung up after talking", 200, True, _ANSWERED),
    Fate("02", "busy", "busy, every time", 200, True, _BUSY),
    Fate("03", "no_answer", "no answer, every time", 200, True, _NO_ANSWER),
    Fate("04", "machine", "answering machine", 200, True, ("chamando", "caixa postal")),
    Fate("05", "invalid_number", "the number does not exist", 200, True, ("numero invalido",)),
    Fate("06", "hung_up", "hung up without an answer", 200, True, ("desligou",)),
    Fate("10", "refused_400", "HTTP 400, nothing dialed", 400, False, (), Answer.ERROR),
    Fate("11", "refused_401", "HTTP 401, nothing dialed", 401, False, (), Answer.ERROR),
    Fate("12", "refused_403", "HTTP 403, nothing dialed", 403, False, (), Answer.ERROR),
    Fate("13", "failed_500", "HTTP 500, nothing dialed", 500, False, (), Answer.ERROR),
    Fate("14", "dialed_500", "HTTP 500 AFTER dialing; answered", 500, True, _ANSWERED, Answer.ERROR),
    Fate("15", "dialed_silence", "the POST is never answered; dialed, answered", None, True, _ANSWERED, Answer.SILENCE),
    Fate("16", "dialed_no_id", "200 without ID_CHAMADA; dialed, answered", 200, True, _ANSWERED, Answer.WITHOUT_ID),
    Fate("17", "dialed_reset", "connection reset AFTER dialing; busy", None, True, _BUSY, Answer.RESET),
    Fate("18", "dialed_503", "HTTP 503 AFTER dialing; no news ever", 503, True, (), Answer.ERROR),
    Fate("20", "twice", "answered, every event twice", 200, True, _ANSWERED, delivery=Delivery.TWICE),
    Fate("21", "early", "answered, first event BEFORE the answer", 200, True, _ANSWERED, delivery=Delivery.EARLY),
    Fate("22", "reversed", "answered, the events in reversed order", 200, True, _ANSWERED[::-1]),
    Fate("23", "no_events", "dialed, no event ever", 200, True, ()),
    Fate("24", "malformed", "answered, with a broken body", 200, True, _ANSWERED, delivery=Delivery.MALFORMED),
    Fate("25", "latin1", "no answer, as raw Latin-1 bytes", 200, True, _NO_ANSWER_TILDE, delivery=Delivery.LATIN1),
)

FATES: Mapping[str, Fate] = MappingProxyType({fate.digits: fate for fate in _TABLE})
FATES_BY_NAME: Mapping[str, Fate] = MappingProxyType({fate.name: fate for fate in _TABLE})

# What numbers with any other ending come to, in percent.
DRAWN: Mapping[str, int] = MappingProxyType({"answered": 55, "no_answer": 20, "busy": 15, "machine": 10})


def fate_of(number: str, *, seed: int, times_dialed: int) -> Fate:
    """The fate of this try at a number; the same one for the same three arguments, in every process.

    *Units* - ``times_dialed`` counts the tries before this one.
    """
    scripted = FATES.get(number[-2:])
    if scripted is not None:
        return scripted
    chance = random.Random(f"{seed}/{number}/{times_dialed}")  # a str seed is hashed the same way everywhere
    (name,) = chance.choices(list(DRAWN), weights=list(DRAWN.values()))
    return FATES_BY_NAME[name]


def described_fates() -> str:
    """The table as lines of text, for ``--help``."""
    rows = "\n".join(f"  {fate.digits}  {fate.meaning}" for fate in _TABLE)
    drawn = ", ".join(f"{percent} % {name.replace('_', ' ')}" for name, percent in DRAWN.items())
    return (
        f"the last two digits of the number dialed script the call:\n{rows}\n"
        f"  any other: drawn by --seed, the same for the same number and try: {drawn}"
    )
