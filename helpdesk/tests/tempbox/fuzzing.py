"""Seeded, random calls of all 32 methods, and what must hold after each and after all of them."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, F, Max, Q

from callcenter.lib.database import rows_of
from helpdesk.models import Atendimento, Contact, Message
from helpdesk.services.opening import open_atendimento
from helpdesk.states import Platform
from helpdesk.tests.factories import (
    make_attendant,
    make_bot,
    make_canned,
    make_channel,
    make_contact,
    make_flow,
    make_ia,
    make_team,
)
from helpdesk.tests.tempbox.api import assert_shape, contract, uid_of

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.tests.tempbox.api import Program

ALLOWED: Final = {200, 401, 404, 405, 413, 500}
_TABLES: Final = ("atendimento", "message", "contact", "contactaddress", "occurrence", "transfer", "scheduledmessage")
_NONSENSE: Final = (
    "", " ", "\0", "%00", "'", "\"; DROP TABLE x; --", "💥", "\ud800", "NaN", "null", "[]", "{}", "-1", "0",
    "99999999999999999999", "1e999", "true", "ção", "../../etc/passwd", "<script>", "%s%s%n", "a" * 300, "٣", "\u202e",
    "00000000-0000-0000-0000-000000000000", "{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "2024-05-09T14:03:27.999",
    "31/02/2024", "9999-12-31T23:59:59", "2070-01-01", "Inserir", "Alterar", "Titulo", "Hash, Titulo,Concluido",
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 1.5, [], {}, [1, [2]], {"a": {"b": []}},
)  # fmt: skip
_BROKEN: Final = ("{", "[", "]", "nul", '{"a":}', "{'a': 1}", '{"a": NaN}', "\ufeff{}", '"x"', "[" * 5000, "\x00", "7")


class Fuzz:
    """Calls by a seed, against the company of a program and in sight of another company."""

    def __init__(self, program: Program, *, seed: int, now: datetime) -> None:
        self.program = program
        self.chance = random.Random(seed)
        self.answers: Counter[tuple[str, int]] = Counter()
        company = program.company
        people = [make_attendant(company) for _ in range(3)]
        bot, ia = make_bot(company, make_flow(company)), make_ia(company)
        team = make_team(company, *people)
        make_canned(company)
        channels = [make_channel(company, platform) for platform in (1, 2, 3)]
        channels.append(make_channel(company, automation=bot))
        channels.append(make_channel(company, automation=ia, ia_replies=True))
        contacts = [make_contact(company, address=(Platform.WHATSAPP, f"+551198765{n:04d}")) for n in range(4)]
        steps = bot.flow.steps.all() if bot.flow is not None else []
        for contact in contacts:
            open_atendimento(contact, channels[0], now=now)
        self._keys = [row.pk for row in (*people, bot, ia, team, *channels, *contacts, *steps)]
        self._keys += [row.hash for row in (*people, *contacts)] + [uuid.UUID(uid_of(company))]
        self._words = [channel.reference_code for channel in channels] + ["visitante-1", "11987654321", "a@example.com"]

    def run(self, count: int) -> None:
        """Make that many calls; each answer is checked, and the rows at the end.

        Errors: `AssertionError` with the call that broke a rule.
        """
        for number in range(count):
            if number % 50 == 0:
                self._meet()
            self._one(self.chance.choice([*contract(), "Inventar"]))
        check_rows()

    def _meet(self) -> None:
        """Learn the ids of some rows that the calls made."""
        for model in (Atendimento, Message, Contact):
            newest = list(model.objects.order_by("-created_at", "pk").values_list("pk", flat=True)[:20])
            self._keys += self.chance.sample(newest, min(3, len(newest)))
        self._keys = self._keys[:40] + self._keys[-40:]

    def _one(self, name: str) -> None:
        before = _sizes()
        response, sent = self._sent(name)
        status = response.status_code
        assert status in ALLOWED, (name, sent, status)
        body = json.loads(response.content)
        assert (body["Code"], body["Success"]) == (status, status == 200), (name, sent)
        assert "Traceback" not in response.content.decode(), (name, sent)
        if status == 200:
            assert_shape(name, body["Data"])
        else:
            assert body["Data"] is None, (name, sent)
            assert _sizes() == before, (name, sent, body)
        self.answers[name, status] += 1

    def _sent(self, name: str) -> tuple[Any, Any]:
        chance, client = self.chance, self.program.client
        token = chance.choices([self.program.token, "", "x", None], [94, 2, 2, 2])[0]
        text = chance.choice(_BROKEN) if chance.random() < 0.04 else json.dumps(self._values(name), default=str)
        fields = {"token": token, "json": text, "Hash": str(self._value("uniqueidentifier"))}
        given = {key: value for key, value in fields.items() if value is not None}
        url = f"/api/Atendimento/{name}"
        if chance.random() < 0.02:
            return getattr(client, chance.choice(["get", "put", "delete", "patch"]))(url), given
        sendable = {key: value.encode("utf-8", "replace").decode() for key, value in given.items()}
        if chance.random() < 0.3:
            return client.post(url, sendable) if chance.random() < 0.1 else _as_form(client, url, sendable), given
        return client.post(url, query_params=sendable), given

    def _values(self, name: str) -> Any:
        chance, entry = self.chance, contract().get(name)
        fields = entry["request"]["json"] if entry else []
        values: dict[str, Any] = {}
        for field in fields:
            if chance.random() < 0.75:
                key = field["name"] if chance.random() < 0.95 else field["name"].swapcase()
                values[key] = self._value(field["type"], field["name"])
        if chance.random() < 0.05:
            values[str(chance.choice(_NONSENSE))] = chance.choice(_VALUES)
        return values

    def _value(self, kind: str, name: str = "") -> Any:
        """Mostly what the field wants, now and then something else."""
        chance = self.chance
        if chance.random() < 0.08:
            return chance.choice([*_NONSENSE, *_VALUES])
        if name in {"Mensagem", "Titulo", "ObservacoesAdicionais", "AcessoLiberado", "VirtualHtmlConversa"}:
            return chance.choice(["Olá", "1", "Falar com uma pessoa", "meu e-mail é b@example.com", "<b>oi</b>"])
        if name in {"Modo", "CamposAtualizados", "ConsultarPorCampo", "CodigoReferenciaCanal"}:
            return chance.choice([None, "", "Inserir", "Alterar", "Titulo,Concluido", "Autonumeracao", *self._words])
        if name == "Empresa":
            return chance.choice([None, uid_of(self.program.company)])
        if name == "Contato":
            return str(chance.choice([*self._words, *self._keys]))
        if kind == "int":
            return chance.choice([0, 1, 2, 3, 5, 10, "7", 500])
        if kind == "bit":
            return chance.choice([True, False, 1, 0, "true", "0"])
        if kind == "smalldatetime":
            return chance.choice(["2070-01-01T10:00:00", "01/02/2071 10:30", "2024-05-09T10:00:00", "2070-01-01"])
        return str(chance.choice(self._keys))


def check_rows() -> None:
    """The rows agree with each other, however the calls went.

    Errors: `AssertionError` naming what disagrees.
    """
    unread = Count("messages", filter=Q(messages__is_inbound=True, messages__read_at=None))
    last = Max("messages__number", filter=Q(messages__is_internal=False))
    for row in Atendimento.objects.annotate(counted=unread, newest=last):
        assert row.unread == row.counted, (row.pk, "unread")
        assert row.last_message_number == (row.newest or 0), (row.pk, "last message")
        assert row.is_waiting == (row.waiting_since is not None)
        assert (row.closed_at is not None) or row.is_open or row.deleted_at, (row.pk, "end")
    for company_id, highest, count in Atendimento.objects.values_list("company").annotate(
        Max("company_number"), Count("pk")
    ):
        assert highest == count, (company_id, "protocols")
    living = Count("atendimentos", filter=Q(atendimentos__deleted_at=None))
    wrong = Contact.objects.annotate(living=living).exclude(atendimento_count=F("living"))
    assert not wrong.exists(), "atendimento_count"


def _as_form(client: Any, url: str, fields: dict[str, str]) -> Any:

    return client.post(url, urlencode(fields), content_type="application/x-www-form-urlencoded")


def _sizes() -> list[int]:
    sql = " UNION ALL ".join(
        f"SELECT {at} AS at, count(*) AS n FROM helpdesk_{name}" for at, name in enumerate(_TABLES)
    )
    assert connection.needs_rollback is False
    return [row["n"] for row in sorted(rows_of(sql), key=lambda row: int(row["at"]))]
