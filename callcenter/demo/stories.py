"""The demo's call requests as one table: who asked when, and what became of each call.

The last two digits of a number script the simulators (01 answered, 02 busy, 03 no answer, 04 machine, 05 no such
number, 15 dialed but never confirmed, 23 no news), so that what lies ahead goes on as the past went.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from callcenter.demo.setting import ATTENDANT_EMAIL, AURORA, CASA_VERDE, SECOND_ATTENDANT_EMAIL, Shop
from requests_app.states import Priority, Source, Status


@dataclass(frozen=True)
class Story:
    """One request. `calls` names what became of each try; `then` is the status that `person` gave it in the end.

    Units: `wanted_in_minutes` counts from now; `window` is hours from now on, from and to.
    """

    shop: Shop
    name: str
    phone: str
    minutes_ago: float
    calls: tuple[str, ...] = ()
    source: Source = Source.CSCART
    wanted_in_minutes: float | None = None
    window: tuple[int, int] | None = None
    then: Status | None = None
    person: str = ATTENDANT_EMAIL
    fields: dict[str, Any] = field(default_factory=dict)


A, V = AURORA, CASA_VERDE
HOUR: Final = 60.0
DAY: Final = 24 * HOUR
_CART: Final = {"301": {"product_id": "301", "product": "Luminária de mesa", "amount": "2", "price": "89.90"}}
_BIANCA: Final = ATTENDANT_EMAIL
_CAIO: Final = SECOND_ATTENDANT_EMAIL

# The first three are due as soon as the worker starts.
STORIES: Final[tuple[Story, ...]] = (
    Story(A, "Ana Beatriz Lopes", "(11) 95550-1001", 2, fields={"product_number": 302}),
    Story(A, "Bruno Tavares", "(11) 95550-1102", 1, fields={"time_from": "__:__"}),
    Story(V, "Célia Nogueira", "(21) 95550-1203", 1, source=Source.VENDDOR),
    # Waiting for an hour that somebody asked for.
    Story(A, "Davi Moura", "(11) 95550-1301", 30, source=Source.VENDDOR, wanted_in_minutes=2 * HOUR),
    Story(A, "Elisa Campos", "+55 31 95550-1401", 45, source=Source.VENDDOR, wanted_in_minutes=DAY,
          fields={"priority": Priority.HIGH, "notes": "Quer saber do plano para empresas."}),
    Story(V, "Fábio Antunes", "(41) 95550-1504", 50, source=Source.VENDDOR, wanted_in_minutes=2 * DAY,
          fields={"priority": Priority.LOW}),
    Story(V, "Gisele Paiva", "(51) 95550-1601", 20, source=Source.ADMIN, wanted_in_minutes=5 * HOUR,
          fields={"priority": Priority.URGENT, "notes": "Ligar antes da entrega."}),
    Story(A, "Hugo Sampaio", "(61) 95550-1701", 15, window=(3, 6)),
    Story(V, "Iara Pontes", "(71) 95550-1803", 25, window=(5, 9), fields={"order_number": 1003}),
    # Between two tries.
    Story(A, "Jonas Viana", "(81) 95550-1904", 16, calls=("machine",)),
    Story(V, "Karina Duarte", "(85) 95550-2004", 14, calls=("machine",), fields={"cart_products": _CART}),
    Story(A, "Leandro Pires", "(91) 95550-2101", 4, calls=("failed",)),
    Story(V, "Mônica Serra", "(92) 95550-2201", 5, calls=("failed",), source=Source.IMPORT),
    # With a person.
    Story(A, "Nair Guimarães", "(11) 95550-2301", 3 * HOUR, then=Status.IN_PROGRESS,
          fields={"order_number": 1001, "notes": "Troca de produto."}),
    Story(A, "Otto Bernardes", "(19) 95550-2401", 5 * HOUR, then=Status.IN_PROGRESS, person=_CAIO),
    Story(V, "Priscila Rangel", "(27) 95550-2501", 8 * HOUR, then=Status.IN_PROGRESS),
    # Nobody knows whether the phone rang.
    Story(A, "Quitéria Ramos", "(48) 95550-2615", 40, calls=("in_doubt",)),
    # Answered, and so completed.
    Story(A, "Rafael Teles", "(11) 95550-2701", 6 * HOUR, calls=("answered",), fields={"product_number": 301}),
    Story(A, "Sílvia Maciel", "(11) 95550-2801", 7 * HOUR, calls=("busy", "answered")),
    Story(A, "Tomás Arruda", "(13) 95550-2901", 9 * HOUR, calls=("no_answer", "no_answer", "answered"),
          fields={"order_number": 1002}),
    Story(V, "Úrsula Peixoto", "(21) 95550-3001", 10 * HOUR, calls=("answered",), fields={"cart_products": _CART}),
    Story(V, "Vicente Braga", "(22) 95550-3101", DAY, calls=("machine", "answered"), source=Source.VENDDOR),
    Story(V, "Wanda Fontes", "(24) 95550-3201", 1.2 * DAY, calls=("answered",), source=Source.VENDDOR,
          fields={"priority": Priority.HIGH, "responsible_id": _BIANCA}),
    Story(A, "Xênia Valadares", "(12) 95550-3301", 1.5 * DAY, calls=("failed", "answered")),
    Story(A, "Yuri Calheiros", "(14) 95550-3401", 2 * DAY, calls=("answered",), fields={"responsible_id": _CAIO}),
    Story(V, "Zilda Mesquita", "(28) 95550-3501", 3 * DAY, calls=("busy", "busy", "answered")),
    # Answered and cut off at once; the callback is due.
    Story(A, "Rute Fialho", "(11) 95550-4701", 3, calls=("dropped",)),
    # Completed by hand.
    Story(A, "Alberto Rocha", "(15) 95550-3601", 2.2 * DAY, then=Status.COMPLETED, source=Source.ADMIN),
    Story(V, "Berenice Dias", "(73) 95550-3701", 2.5 * DAY, calls=("no_answer",), then=Status.COMPLETED,
          person=_CAIO, fields={"notes": "Comprou na loja."}),
    # Given up.
    Story(A, "Cássio Leal", "(16) 95550-3802", 11 * HOUR, calls=("busy", "busy", "busy")),
    Story(A, "Dora Figueira", "(17) 95550-3903", 1.1 * DAY, calls=("no_answer", "no_answer", "no_answer")),
    Story(V, "Emílio Barros", "(31) 95550-4004", 1.3 * DAY, calls=("machine", "machine")),
    Story(V, "Flora Quintão", "(32) 95550-4105", 12 * HOUR, calls=("invalid",)),
    Story(A, "Genaro Lins", "(18) 95550-4223", 1.4 * DAY, calls=("no_news",)),
    Story(V, "Helena Couto", "(33) 95550-4303", 4 * DAY, calls=("busy", "no_answer"), then=Status.NO_ANSWER),
    # Can't be dialed, each with its reason.
    Story(A, "Api", "+7(999)111-22-33", 2 * HOUR),
    Story(V, "Isidro Cabral", "+351 912 345 678", 4 * HOUR, source=Source.VENDDOR),
    Story(A, "Joana Freire", "95550-4401", 3 * HOUR),
    Story(V, "Kleber Assis", "(20) 95550-4501", 5 * HOUR),
    Story(A, "Lídia Mattos", "ramal da loja", 7 * HOUR, source=Source.ADMIN),
    Story(A, "Mauro Teixeira", "", 1 * HOUR, fields={"email": "mauro@cliente.example"}),
    Story(A, "Odete Prado", "0300 955 5047", 6 * HOUR),
    Story(V, "Noemi Sales", "(34) 95550-4610", 13 * HOUR, calls=("refused",)),
)  # fmt: skip
