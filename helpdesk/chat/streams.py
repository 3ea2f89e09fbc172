"""`GET /chat/<hash>/eventos`: the visitor's stream, as Server-Sent Events, in an asynchronous process of its own.

`id:` is the message's number; a reader that was cut off sends it back as `Last-Event-ID` (or `?depois=`) and gets what
it missed. `GET /chat/painel/eventos?ficha=…` is that of a conversation's page in the admin: it tells that something
changed, and nothing else. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from callcenter.lib.client_address import client_address
from callcenter.lib.limits import RateLimited, count
from helpdesk.chat.doors import calls_from, may_read
from helpdesk.chat.hub import Event, Hub
from helpdesk.chat.tickets import STAFF_PATH, reader_of
from helpdesk.selectors import chat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)

Admitted = TypeVar("Admitted")

MOST_STREAMS: Final = 5_000
# Proxies close what is silent for a minute.
KEEP_ALIVE_SECONDS: Final = 20.0
# How long a browser waits before it comes back.
RETRY_MILLISECONDS: Final = 2_000
_PATH: Final = re.compile(r"/chat/([0-9a-fA-F-]{32,36})/eventos")


class Refusal(Exception):
    """The stream can't be opened; `status` says why."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


class Streams:
    """The ASGI application."""

    def __init__(self) -> None:
        self._hub = Hub()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a stream's lasts as long as its reader."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            await self.close()
            return
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] == "/healthz":
            await _answer(send, 200, {"status": "ok", "streams": self._hub.open_count})
            return
        origin = headers.get("origin")
        try:
            if scope["path"] == STAFF_PATH:
                await self._tick(await self._admitted(_admit_staff, scope, headers), origin, receive, send)
                return
            conversation = await self._admitted(_admit, scope, headers)
        except Refusal as refusal:
            await _answer(send, refusal.status, {"erro": refusal.status}, refusal.headers)
            return
        await self._stream(conversation, _last_seen(scope, headers), origin, receive, send)

    async def close(self) -> None:
        """End the threads and their connections."""
        await self._hub.close()

    async def _admitted(
        self, admit: Callable[[Scope, dict[str, str]], Admitted], scope: Scope, headers: dict[str, str]
    ) -> Admitted:
        """What `admit` says of the request, from a thread that may read the database.

        Errors: `Refusal`.
        """
        if scope["method"] != "GET":
            raise Refusal(405 if _is_ours(scope["path"]) else 404)
        if self._hub.open_count >= MOST_STREAMS:
            raise Refusal(503, **{"Retry-After": "30"})
        try:
            return await self._hub.ask(admit, scope, headers)
        except (Refusal, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("streams: one could not be opened")
            raise Refusal(503, **{"Retry-After": "10"}) from error

    async def _stream(
        self, conversation: chat.Conversation, last: int, origin: str | None, receive: Receive, send: Send
    ) -> None:
        try:
            mailbox = await self._hub.listen(conversation.hash)
        except TimeoutError:
            await _answer(send, 503, {"erro": 503}, {"Retry-After": "10"})
            return
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _stream_headers(origin)})
            await _send(send, f"retry: {RETRY_MILLISECONDS}\n\n")
            while True:
                missed = await self._hub.ask(chat.messages_after, conversation, last)
                for message in missed:
                    last = message["numero"]
                    await _send(send, _frame(Event(last, "mensagem", message)))
                if len(missed) < chat.BATCH:
                    break
            states = await self._hub.ask(chat.states_of, [conversation.hash])
            await _send(send, _frame(Event(0, "estado", states.get(conversation.hash, {}))))
            while not gone.done():
                event = await _next(mailbox, gone)
                if event is None:
                    break
                # What was read above may come once more.
                if not event.number or event.number > last:
                    last = max(last, event.number)
                    await _send(send, _frame(event))
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            # The reader went away in the middle of a line.
            pass
        finally:
            gone.cancel()
            self._hub.leave(conversation.hash, mailbox)

    async def _tick(self, atendimento_id: uuid.UUID, origin: str | None, receive: Receive, send: Send) -> None:
        """Tell a page of the admin whenever its conversation changes, until it goes away."""
        mailbox = self._hub.watch(atendimento_id)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _stream_headers(origin)})
            await _send(send, f"retry: {RETRY_MILLISECONDS}\n\n")
            while not gone.done() and (event := await _next(mailbox, gone)) is not None:
                await _send(send, _frame(event))
        except OSError:
            # The reader went away in the middle of a line.
            pass
        finally:
            gone.cancel()
            self._hub.unwatch(atendimento_id, mailbox)


_COMMENT: Final = Event(0, "", {})


async def _next(mailbox: asyncio.Queue[Event | None], gone: asyncio.Task[None]) -> Event | None:
    """The next thing to send: a comment after a long silence; None at the end."""
    getting = asyncio.ensure_future(mailbox.get())
    done, _rest = await asyncio.wait({getting, gone}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if getting in done:
        return getting.result()
    getting.cancel()
    return None if gone in done else _COMMENT


def _admit(scope: Scope, headers: dict[str, str]) -> chat.Conversation:
    """The conversation, for a visitor who may open a stream of it. Reads the database and the counters."""
    match = _PATH.fullmatch(scope["path"])
    if match is None:
        raise Refusal(404)
    _count(scope, headers)
    try:
        conversation = chat.conversation(uuid.UUID(match[1]))
    except ValueError as error:
        raise Refusal(404) from error
    if conversation is None:
        raise Refusal(404)
    if not may_read(headers.get("origin"), conversation.origins, own=_own_origins(headers)):
        raise Refusal(403)
    return conversation


def _admit_staff(scope: Scope, headers: dict[str, str]) -> uuid.UUID:
    """The id of the conversation whose page in the admin got this ticket, while its reader may still log in."""
    _count(scope, headers)
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    reader = reader_of(query.get("ficha", [""])[0])
    if reader is None or not may_read(headers.get("origin"), (), own=_own_origins(headers)):
        raise Refusal(403)
    return reader


def _count(scope: Scope, headers: dict[str, str]) -> None:
    """Nothing, while the address may ask for more.

    Errors: `Refusal`.
    """
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = (scope.get("client") or ("",))[0]
    if "x-forwarded-for" in headers:
        request.META["HTTP_X_FORWARDED_FOR"] = headers["x-forwarded-for"]
    try:
        count(calls_from(client_address(request)), now=timezone.now())
    except RateLimited as error:
        raise Refusal(429, **{"Retry-After": str(error.retry_after_seconds)}) from error


def _own_origins(headers: dict[str, str]) -> tuple[str, ...]:
    public = urlsplit(settings.PUBLIC_URL)
    return (f"{public.scheme}://{public.netloc}".lower(), f"{public.scheme}://{headers.get('host', '')}".lower())


def _is_ours(path: str) -> bool:
    return path == STAFF_PATH or _PATH.fullmatch(path) is not None


def _last_seen(scope: Scope, headers: dict[str, str]) -> int:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    text = headers.get("last-event-id") or query.get("depois", ["0"])[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _frame(event: Event) -> str:
    if not event.kind:
        return ": .\n\n"
    number = f"id: {event.number}\n" if event.number else ""
    return f"{number}event: {event.kind}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _stream_headers(origin: str | None) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        # nginx would keep the lines until its buffer is full.
        "x-accel-buffering": "no",
        "vary": "Origin",
    }
    if origin:
        headers["access-control-allow-origin"] = origin
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


async def _answer(send: Send, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
    named = {"content-type": "application/json", "cache-control": "no-store", **(headers or {})}
    lines = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
