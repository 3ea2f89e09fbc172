"""The widget in a real browser, with web, worker and streams as their own processes: a visitor, a bot, a person."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from callcenter.tests.browser import PHONE
from callcenter.tests.engines import free_port
from callcenter.tests.environment import ROOT, program_environment
from callcenter.tests.factories import make_company
from callcenter.tests.stack import Stack, wait_until
from helpdesk.models import Message
from helpdesk.services.writing import write_reply
from helpdesk.states import Adapter
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from helpdesk.models import Channel

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECONDS = 30


@pytest.fixture
def channel() -> Channel:
    company = make_company(name="Loja Aurora")
    bot = make_bot(company, make_flow(company, "Olá! Sou o robô."), name="Aurora")
    return make_channel(company, adapter=Adapter.SITE_CHAT, automation=bot, settings={"demo": True})


@pytest.fixture
def stack(channel: Channel) -> Iterator[Stack]:
    port = free_port()
    with Stack(CHAT_STREAM_URL=f"http://127.0.0.1:{port}") as running:
        words = ["granian", "--interface", "asgi", "--http", "1", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
        words += ["--workers-kill-timeout", "3"]
        streams = subprocess.Popen(
            [sys.executable, "-m", *words, "--log-level", "warning", "callcenter.asgi:application"],
            cwd=ROOT,
            env=program_environment(PUBLIC_URL=running.url),
        )
        try:
            running.start_worker()
            healthy = f"http://127.0.0.1:{port}/healthz"
            wait_until(lambda: _answers(healthy), seconds=60, what="the stream process answers")
            yield running
        finally:
            streams.terminate()
            streams.wait(timeout=SECONDS)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


def test_a_visitor_writes_the_bot_greets_and_a_person_takes_over(
    browser: Browser, stack: Stack, channel: Channel
) -> None:
    context = browser.new_context(viewport=PHONE, locale="pt-BR", reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # Whoever asks by and by hears nothing: what comes, the stream has brought.
    page.route("**/mensagens?depois=*", lambda route: route.fulfill(json={"mensagens": [], "estado": None}))
    page.goto(f"{stack.url}/chat/demo")
    page.get_by_role("button", name="Abrir o chat").press("Enter")
    field = page.get_by_label("Sua mensagem")
    expect(field).to_be_focused()
    page.keyboard.type("Oi <b>gente</b>")
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    expect(log).to_contain_text("Olá! Sou o robô.", timeout=1000 * SECONDS)
    # What a visitor types is text and never markup.
    expect(log).to_contain_text("Oi <b>gente</b>")

    first = Message.objects.get(is_inbound=True)
    person = make_attendant(channel.company, "Bia Lima")
    write_reply(first.atendimento_id, person, scope=None, text="Olá, sou a Bia.", now=timezone.now())
    expect(log).to_contain_text("Olá, sou a Bia.", timeout=1000 * SECONDS)
    page.keyboard.type("Que bom!")
    page.keyboard.press("Enter")
    wait_until(Message.objects.filter(text="Que bom!").exists, seconds=SECONDS, what="the answer is stored")

    # Another page of the same site goes on where this one was.
    page.reload()
    page.get_by_role("button", name="Abrir o chat").click()
    expect(log).to_contain_text("Que bom!", timeout=1000 * SECONDS)
    expect(log.get_by_text("Olá, sou a Bia.")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Abrir o chat")).to_be_focused()
    context.close()
    assert complaints == []
