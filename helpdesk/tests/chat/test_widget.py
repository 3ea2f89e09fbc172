"""Widget and admin in two real windows; web, worker and streams as their own processes: a visitor, a bot, a person."""

from __future__ import annotations

import statistics
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest
import requests
from django.urls import reverse
from playwright.sync_api import expect

from callcenter.accounts.roles import ATTENDANT
from callcenter.tests.browser import DESKTOP, PHONE, log_in
from callcenter.tests.engines import free_port
from callcenter.tests.environment import ROOT, program_environment
from callcenter.tests.factories import PASSWORD, make_company, make_user
from callcenter.tests.stack import Stack, wait_until
from helpdesk.models import Atendimento, Message
from helpdesk.states import Adapter
from helpdesk.tests.factories import make_bot, make_channel, make_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from helpdesk.models import Channel

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# The first page of a process that has just started takes its time on a busy machine.
SECONDS = 90


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


# Each side's window notes the instant at which a text that it did not know stands in the thread.
_WATCH = """
(place) => {
    window.seenAt = {};
    const look = () => {
        const found = place();
        for (const text of found?.textContent.match(/(?:pergunta|resposta) \\d+/g) ?? []) {
            window.seenAt[text] ??= Date.now();
        }
    };
    const root = document.querySelector("callcenter-chat")?.shadowRoot ?? document;
    new MutationObserver(look).observe(root, {childList: true, subtree: true, characterData: true});
    look();
}
"""
_WATCH_WIDGET = f"({_WATCH})(() => document.querySelector('callcenter-chat').shadowRoot.querySelector('[role=log]'))"
_WATCH_PANEL = f"({_WATCH})(() => document.querySelector('[data-thread]'))"
TURNS = 5
PROMISED_SECONDS = 2.0


def _delay(page: Page, text: str) -> float:
    """Seconds from when the product took the text to when this window showed it."""
    page.wait_for_function("text => window.seenAt[text]", arg=text, timeout=1000 * SECONDS)
    seen_at: float = page.evaluate("text => window.seenAt[text]", text)
    return seen_at / 1000 - Message.objects.get(text=text).created_at.timestamp()


def _open_streams(stack: Stack) -> int:
    answer = requests.get(f"{stack.settings['CHAT_STREAM_URL']}/healthz", timeout=10)
    return int(answer.json()["streams"])


def test_a_visitor_writes_the_bot_greets_and_a_person_takes_over_in_the_admin(
    browser: Browser, stack: Stack, channel: Channel
) -> None:
    complaints: list[str] = []
    context = browser.new_context(viewport=PHONE, locale="pt-BR", reduced_motion="reduce")  # type: ignore[arg-type]
    page = _window(context, complaints)
    # Whoever asks by and by hears nothing: what comes, the stream has brought.
    page.route("**/mensagens?depois=*", lambda route: route.fulfill(json={"mensagens": [], "estado": None}))
    page.goto(f"{stack.url}/chat/demo")
    page.get_by_role("button", name="Abrir o chat").press("Enter")
    expect(page.get_by_label("Sua mensagem")).to_be_focused()
    page.keyboard.type("Oi <b>gente</b>")
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    expect(log).to_contain_text("Olá! Sou o robô.", timeout=1000 * SECONDS)
    # What a visitor types is text and never markup.
    expect(log).to_contain_text("Oi <b>gente</b>")

    office = browser.new_context(base_url=stack.url, viewport=DESKTOP, locale="pt-BR")  # type: ignore[arg-type]
    office.set_default_timeout(1000 * SECONDS)
    panel = _window(office, complaints)
    log_in(panel, make_user(channel.company, role=ATTENDANT, first_name="Bia", last_name="Lima").email, PASSWORD)
    panel.goto(reverse("admin:helpdesk_atendimento_change", args=[Atendimento.objects.get().pk]))
    expect(panel.locator("[data-thread]")).to_contain_text("Olá! Sou o robô.")
    panel.get_by_role("button", name="Assumir").click()
    expect(page.get_by_text("Você está falando com Bia Lima")).to_be_visible(timeout=1000 * SECONDS)
    page.evaluate(_WATCH_WIDGET)
    wait_until(lambda: _open_streams(stack) == 2, seconds=SECONDS, what="both windows have their stream")

    to_panel, to_widget = [], []
    for turn in range(TURNS):
        panel.evaluate(_WATCH_PANEL)
        page.get_by_label("Sua mensagem").fill(f"pergunta {turn}")
        page.keyboard.press("Enter")
        to_panel.append(_delay(panel, f"pergunta {turn}"))
        panel.get_by_label("Escreva a mensagem").fill(f"resposta {turn}")
        panel.keyboard.press("Control+Enter")
        to_widget.append(_delay(page, f"resposta {turn}"))
        expect(panel.locator("[data-thread]")).to_contain_text(f"resposta {turn}")
    assert statistics.median(to_panel) < PROMISED_SECONDS, to_panel
    assert statistics.median(to_widget) < PROMISED_SECONDS, to_widget

    # Another page of the same site goes on where this one was.
    page.reload()
    page.get_by_role("button", name="Abrir o chat").click()
    expect(log).to_contain_text("pergunta 0", timeout=1000 * SECONDS)
    expect(log.get_by_text("resposta 0")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Abrir o chat")).to_be_focused()
    # A window that nobody sees holds no stream.
    for each in (office, context):
        each.close()
    wait_until(lambda: _open_streams(stack) == 0, seconds=SECONDS, what="both streams have ended")
    assert complaints == []


def _window(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page
