"""A real Chromium for browser tests: the root `conftest.py` gives `browser` and `page` to all apps.

A page that breaks the content security policy, logs an error or asks another host for anything fails its test.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The slowest thing to wait for is the list, which looks for news every five seconds.
TIMEOUT_MILLISECONDS: Final = 20_000
DESKTOP: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that `CHROMIUM` names, one for the tests of a module."""
    # Playwright's event loop lives in this thread until the end, and Django takes every query in it for an
    # asynchronous one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=list(ARGUMENTS)
        )
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A fresh window of a Brazilian desktop on the live server; it must end without complaints."""
    complaints: list[str] = []
    host = urlsplit(live_server.url).netloc

    def note_message(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"console {message.type}: {message.text}")

    def note_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and address.netloc != host:
            complaints.append(f"asked {address.netloc}")

    context = browser.new_context(
        base_url=live_server.url,
        viewport=DESKTOP,  # type: ignore[arg-type]
        locale="pt-BR",
        timezone_id="America/Sao_Paulo",
    )
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    expect.set_options(timeout=TIMEOUT_MILLISECONDS)
    # The streams have a process of their own, which this server has not beside it.
    context.route(
        "**/chat/painel/eventos*",
        lambda route: route.fulfill(body="retry: 600000\n\n", content_type="text/event-stream"),
    )
    window = context.new_page()
    window.on("console", note_message)
    window.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    window.on("request", note_request)
    yield window
    context.close()
    assert complaints == []


def log_in(page: Page, email: str, password: str) -> None:
    """Log in to the admin, as a person does."""
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Senha").fill(password)
    page.get_by_role("button", name="Acessar").click()
    page.get_by_role("heading", name="Painel").wait_for()


def overflow_of(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
