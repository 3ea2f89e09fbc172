"""A day over HTTP alone: bots, people, transfers, messages for later, a border crossed, a worker killed twice.

`DAY_CONVERSATIONS` makes it longer: `python -m bench.helpdesk_day`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests
from django.utils import timezone

from callcenter.tests.factories import make_company
from callcenter.tests.stack import Stack, wait_until
from helpdesk.states import Platform
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_flow, make_team
from helpdesk.tests.tempbox.api import Program, uid_of
from helpdesk.tests.tempbox.fuzzing import check_rows

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CONVERSATIONS: Final = int(os.environ.get("DAY_CONVERSATIONS", "24"))
KILLS: Final = 2
WAIT_SECONDS: Final = 120 + CONVERSATIONS


class Wire:
    """Calls of one program over a real connection."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._local = threading.local()

    def post(self, method: str, **values: Any) -> requests.Response:
        """The answer, token and json in the form."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        fields = {"token": self._token, "json": json.dumps(values)}
        answer: requests.Response = self._local.session.post(
            f"{self._url}/api/Atendimento/{method}", data=fields, timeout=(3, 60)
        )
        return answer

    def call(self, method: str, **values: Any) -> Any:
        """The `Data` of an answer that is OK."""
        answer = self.post(method, **values)
        assert answer.status_code == 200, (method, answer.text)
        return answer.json()["Data"]


class Poller(threading.Thread):
    """Reads the site's chats by number, as the server of the visitors' streams does, until it is told to end."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(daemon=True)
        self._wire, self._is_over = wire, threading.Event()
        self.numbers: list[int] = []

    def run(self) -> None:
        """Go on from the last number, again and again."""
        while True:
            was_over = self._is_over.is_set()
            first = self.numbers[-1] + 1 if self.numbers else 0
            rows = self._wire.call("ObterNovasMensagensChatSiteSse", Inicio=first)
            self.numbers += [row["Autonumeracao"] for row in rows]
            if was_over and not rows:
                return
            time.sleep(0.05)

    def end(self) -> None:
        """Read what is left and stop."""
        self._is_over.set()
        self.join(timeout=60)
        assert not self.is_alive()


class Day:
    """One company's day, and the texts that were said in each conversation, by visitor."""

    def __init__(self, company: Company, ours: Wire, strangers: Wire) -> None:
        self.ours, self.strangers = ours, strangers
        self.people = [make_attendant(company, f"Atendente {n}", capacity=1000) for n in range(4)]
        team = make_team(company, *self.people[:2])
        make_channel(company, reference_code="gente", team=team)
        bot = make_bot(company, make_flow(company, "Olá! Diga 1.", "Passo a uma pessoa: diga 1."))
        make_channel(company, reference_code="bot", automation=bot)
        make_channel(company, Platform.WHATSAPP, reference_code="zap")
        self.team = team
        self.said: dict[int, list[str]] = {}

    def ask(self, n: int) -> None:
        """A visitor writes twice."""
        self.said[n] = [f"pergunta {n}-{part}" for part in (1, 2)]
        for text in self.said[n]:
            self.ours.call("EnviarMensagem", Mensagem=text, **self.visitor(n))

    def visitor(self, n: int) -> dict[str, Any]:
        """Who writes, and where."""
        if n % 4 == 3:
            return {"Contato": f"1198765{n:04d}", "CodigoReferenciaCanal": "zap"}
        return {"Contato": f"visitante-{n}", "CodigoReferenciaCanal": "bot" if n % 4 == 0 else "gente"}

    def serve(self, n: int, row: dict[str, Any]) -> None:
        """Somebody takes it, answers, passes it on or plans a message; a stranger tries to get at it."""
        key, mine = row["Hash"], str(self.people[n % 4].pk)
        if n % 4 == 0:
            self.ours.call("EncaminharAtendimento", Atendimento=key, Atendente=str(self.team.pk))
        holder = self.ours.call("PegarAtendimento", Atendimento=key, Atendente=mine)[0]["Atendente"]
        self.ours.call("IniciarAtendimento", Atendimento=key, Atendente=holder)
        self.reply(n, key, holder, "resposta")
        if n % 3 == 0:
            self.ours.call("EncaminharAtendimento", Atendimento=key, Atendente=str(self.people[(n + 1) % 4].pk))
            self.reply(n, key, str(self.people[(n + 1) % 4].pk), "continuação")
        if n % 2 == 0:
            now = timezone.now() + timedelta(seconds=1)
            text = f"depois {n}"
            self.said[n].append(text)
            self.ours.call(
                "AgendarMensagem", Atendimento=key, Atendente=holder, Mensagem=text, DataAgendamento=now.isoformat()
            )
        if n % 5 == 0:
            self.cross_the_border(key, mine)

    def reply(self, n: int, key: str, writer: str, word: str) -> None:
        """One answer of our side."""
        text = f"{word} {n}"
        self.said[n].append(text)
        self.ours.call("EnviarMensagem", Atendimento=key, Atendente=writer, Mensagem=text)

    def cross_the_border(self, key: str, writer: str) -> None:
        """What another company's program gets: nothing, or a refusal."""
        for method in ("EncerrarAtendimento", "PegarAtendimento", "EnviarMensagem", "EncaminharAtendimento"):
            refused = self.strangers.post(method, Atendimento=key, Atendente=writer, Mensagem="Invasão")
            assert refused.status_code == 500, (method, refused.text)
        assert self.strangers.call("Consultar", Hash=key) == []
        assert self.strangers.call("ListarMensagensAtendimento", Atendimento=key) == []


def test_a_day_loses_doubles_and_leaks_nothing() -> None:
    company, other = make_company("Loja Aurora"), make_company("Loja Vizinha")
    program, stranger = Program(company), Program(other)
    with Stack(API_CALLS_PER_MINUTE_PER_KEY="0", API_CALLS_PER_MINUTE_PER_ADDRESS="0") as stack:
        ours, strangers = Wire(stack.url, program.token), Wire(stack.url, stranger.token)
        day = Day(company, ours, strangers)
        poller = Poller(ours)
        poller.start()
        stack.start_worker()
        numbers = range(CONVERSATIONS)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(day.ask, numbers))
            stack.kill_worker()
            stack.start_worker()
            rows = by_visitor(ours)
            assert sorted(rows) == list(numbers)
            list(pool.map(lambda n: day.serve(n, rows[n]), numbers))
        stack.kill_worker()
        stack.start_worker()
        wait_until(lambda: _all_sent(ours, rows), seconds=WAIT_SECONDS, what="every message for later is sent")
        for n in numbers[::2]:
            ours.call("EncerrarAtendimento", Atendimento=rows[n]["Hash"])
        stack.kill_worker()
        poller.end()
        _assert_nothing_lost(day, rows, poller)
        _assert_the_dashboard_is_a_recount(ours)
        assert strangers.call("Listar") == strangers.call("ListarRecentes") == strangers.call("Acompanhar") == []
        assert uid_of(other) not in str(ours.call("ListarRecentes", top=1000))
    check_rows()


def by_visitor(wire: Wire) -> dict[int, dict[str, Any]]:
    """The open conversations by the number of their visitor."""
    found = {}
    for row in wire.call("ListarEmAberto"):
        address = row["ReferenteCanalFormaContato"]
        found[int(address.rpartition("-")[2] if "-" in address else address[-4:])] = row
    return found


def _thread(wire: Wire, key: str) -> list[str]:
    return [row["Mensagem"] for row in wire.call("ListarMensagensAtendimentoChat", Atendimento=key)]


def _all_sent(wire: Wire, rows: dict[int, dict[str, Any]]) -> bool:
    return all(f"depois {n}" in _thread(wire, rows[n]["Hash"]) for n in sorted(rows)[::2])


def _assert_nothing_lost(day: Day, rows: dict[int, dict[str, Any]], poller: Poller) -> None:
    chats: list[int] = []
    for n, texts in day.said.items():
        thread = day.ours.call("ListarMensagensAtendimentoChat", Atendimento=rows[n]["Hash"])
        counted = Counter(row["Mensagem"] for row in thread)
        assert {text: counted[text] for text in texts} == dict.fromkeys(texts, 1), n
        numbers = [row["Autonumeracao"] for row in thread]
        assert numbers == sorted(numbers)
        chats += numbers if n % 4 != 3 else []
    assert poller.numbers == sorted(chats)


def _assert_the_dashboard_is_a_recount(wire: Wire) -> None:
    report = wire.call("ListarRelatorioPrincipal")
    open_now = wire.call("ListarEmAberto")
    told = {row["Propriedade"]: row["Valor"] for row in wire.call("ObterDashboard")}
    closed = sum(row["ConcluidoValor"] for row in report)
    recent = wire.call("ListarRecentes", top=1000)
    assert told["TotalAtendimentos"] == str(len(report)) == str(CONVERSATIONS)
    assert told["EmAberto"] == str(len(open_now)) == str(len(report) - closed)
    assert told["EmEspera"] == str(sum(row["SolicitanteEmEspera"] for row in recent))
    assert told["EmAtendimento"] == str(sum(row["Iniciado"] for row in open_now))
    assert [row["AutonumeracaoEmpresa"] for row in report] == list(range(CONVERSATIONS, 0, -1))
