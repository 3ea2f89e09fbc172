"""The stream process's application, spoken to as a server does: replay, order, keeping apart, and refusals."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from callcenter.tests.factories import make_company, make_user
from helpdesk import tasks
from helpdesk.chat.streams import Streams
from helpdesk.chat.tickets import STAFF_PATH, reader_of, stream_url
from helpdesk.models import Message
from helpdesk.services import booking
from helpdesk.services.writing import receive_message_in
from helpdesk.states import Adapter
from helpdesk.tests.factories import make_attendant, make_channel
from helpdesk.tests.scenes import asked
from helpdesk.tests.tempbox.api import Program

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from helpdesk.models import Atendimento

# The poller reads what others have committed.
pytestmark = pytest.mark.django_db(transaction=True)

SHOP = "https://loja.example"
SECONDS = 30


class Reader:
    """One open stream; `events` come as they are read."""

    def __init__(self, streams: Streams, path: str, **headers: str) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._leaves = asyncio.Event()
        path, _mark, query = path.partition("?")
        lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": lines,
            "client": ("127.0.0.1", 1),
        }  # fmt: skip
        self.task = asyncio.create_task(streams(scope, self._receive, self.sent.put))

    async def _receive(self) -> dict[str, Any]:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def start(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.sent.get(), SECONDS)

    async def message(self) -> dict[str, Any]:
        """The next message, whatever comes between."""
        while True:
            part = await asyncio.wait_for(self.sent.get(), SECONDS)
            lines = dict(
                line.split(": ", 1) for line in part.get("body", b"").decode().strip().splitlines() if ": " in line
            )
            if lines.get("event") == "mensagem":
                data: dict[str, Any] = json.loads(lines["data"])
                assert int(lines["id"]) == data["numero"]
                return data

    async def leave(self) -> None:
        self._leaves.set()
        await asyncio.wait_for(self.task, SECONDS)


def run(test: Callable[[Streams], Awaitable[None]]) -> None:
    """The test in a loop of its own; the hub's threads end with it, and their connections."""

    async def inner() -> None:
        streams = Streams()
        try:
            await test(streams)
        finally:
            await streams.close()

    asyncio.run(inner())


@pytest.fixture
def chat() -> Atendimento:
    company = make_company()
    return asked(company, "Oi", channel=make_channel(company, adapter=Adapter.SITE_CHAT, settings={"origins": [SHOP]}))


async def say(atendimento: Atendimento, text: str) -> int:
    def write() -> int:
        try:
            done = receive_message_in(atendimento.pk, scope=None, text=text, now=timezone.now())
        finally:
            # The thread's own.
            connection.close()
        assert done.message is not None
        return done.message.number

    return await asyncio.to_thread(write)


def test_a_reader_gets_what_it_missed_and_then_what_comes_once_each(chat: Atendimento) -> None:
    first = Message.objects.get().number

    async def test(streams: Streams) -> None:
        await say(chat, "perdida")
        reader = Reader(streams, f"/chat/{chat.hash}/eventos", last_event_id=str(first), origin=SHOP)
        start = await reader.start()
        assert start["status"] == 200
        assert dict(start["headers"])[b"access-control-allow-origin"] == SHOP.encode()
        assert (await reader.message())["texto"] == "perdida"
        numbers = [await say(chat, f"nova {place}") for place in range(3)]
        assert [(await reader.message())["numero"] for _ in numbers] == numbers
        await reader.leave()

    run(test)


def test_a_reader_hears_its_own_conversation_only(chat: Atendimento) -> None:
    other = asked(chat.company, "Outra", channel=chat.channel)

    async def test(streams: Streams) -> None:
        mine, theirs = (Reader(streams, f"/chat/{one.hash}/eventos") for one in (chat, other))
        assert [(await reader.message())["texto"] for reader in (mine, theirs)] == ["Oi", "Outra"]
        await say(other, "segredo")
        await say(chat, "minha")
        assert (await mine.message())["texto"] == "minha"
        assert (await theirs.message())["texto"] == "segredo"
        await mine.leave()
        await theirs.leave()

    run(test)


def test_who_may_not_read_gets_no_stream(chat: Atendimento) -> None:
    async def status(streams: Streams, path: str, **headers: str) -> int:
        code: int = (await Reader(streams, path, **headers).start())["status"]
        return code

    async def test(streams: Streams) -> None:
        assert await status(streams, f"/chat/{uuid.uuid4()}/eventos") == 404
        assert await status(streams, f"/chat/{chat.pk}/eventos") == 404
        assert await status(streams, "/chat/x/eventos") == 404
        assert await status(streams, f"/chat/{chat.hash}/eventos", origin="https://evil.example") == 403

    run(test)


def test_twenty_readers_share_two_connections(chat: Atendimento) -> None:
    async def test(streams: Streams) -> None:
        readers = [Reader(streams, f"/chat/{chat.hash}/eventos") for _ in range(20)]
        assert {(await reader.message())["texto"] for reader in readers} == {"Oi"}
        await say(chat, "a todos")
        assert {(await reader.message())["texto"] for reader in readers} == {"a todos"}
        assert sum(thread.name.startswith("streams") for thread in threading.enumerate()) <= 2
        for reader in readers:
            await reader.leave()

    run(test)


async def _ticks(reader: Reader) -> None:
    """Wait for the next tick."""
    while "event: mudou" not in (await asyncio.wait_for(reader.sent.get(), SECONDS)).get("body", b"").decode():
        pass


def test_a_page_of_the_admin_is_told_that_its_conversation_changed_and_nothing_else(chat: Atendimento) -> None:
    path = stream_url(chat.pk, user_id=make_user(chat.company).pk)
    other = asked(chat.company, "Outra", channel=chat.channel)

    async def test(streams: Streams) -> None:
        reader = Reader(streams, path)
        assert (await reader.start())["status"] == 200
        await _ticks(reader)
        await say(other, "de outra")
        await say(chat, "segredo")
        await _ticks(reader)
        # Once more for whatever was missed between a page's last look and its stream.
        late = Reader(streams, path)
        await _ticks(late)
        for one in (reader, late):
            await one.leave()
        sent = b"".join(reader.sent.get_nowait().get("body", b"") for _ in range(reader.sent.qsize()))
        assert b"segredo" not in sent

    run(test)


def test_a_ticket_opens_its_own_stream_while_its_user_may_log_in(chat: Atendimento) -> None:
    user, gone = make_user(chat.company), make_user(chat.company, is_active=False)
    good = stream_url(chat.pk, user_id=user.pk)
    paths = {
        good: 200,
        stream_url(chat.pk, user_id=gone.pk): 403,
        f"{STAFF_PATH}?ficha={chat.pk}": 403,
        STAFF_PATH: 403,
        good[:-1]: 403,
    }

    async def test(streams: Streams) -> None:
        for path, status in paths.items():
            reader = Reader(streams, path)
            assert (await reader.start())["status"] == status, path
            await reader.leave()
        foreign = Reader(streams, good, origin=SHOP)
        assert (await foreign.start())["status"] == 403

    run(test)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert reader_of(good.partition("ficha=")[2]) is None


def test_what_the_api_and_a_job_write_reaches_a_stream_as_what_people_write(chat: Atendimento) -> None:
    program, person = Program(chat.company), make_attendant(chat.company)
    now = timezone.now()
    booking.schedule_message(chat.pk, person, scope=None, text="agendada", due_at=now, now=now)

    def call_api() -> None:
        program.call("EnviarMensagem", {"Atendimento": chat.hash, "Atendente": person.hash, "Mensagem": "pela API"})
        connection.close()

    def run_job() -> None:
        tasks.send_scheduled_messages()
        connection.close()

    async def test(streams: Streams) -> None:
        reader = Reader(streams, f"/chat/{chat.hash}/eventos")
        watcher = Reader(streams, stream_url(chat.pk, user_id=program.user.pk))
        assert (await reader.message())["texto"] == "Oi"
        await _ticks(watcher)
        for write, text in ((call_api, "pela API"), (run_job, "agendada")):
            await asyncio.to_thread(write)
            assert (await reader.message())["texto"] == text
            await _ticks(watcher)
        for one in (reader, watcher):
            await one.leave()

    run(test)
