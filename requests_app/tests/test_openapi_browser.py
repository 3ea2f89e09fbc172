"""The viewer of the OpenAPI document in a real browser, under our Content-Security-Policy."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from callcenter.tests.environment import chromium_path


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_viewer_shows_every_operation_and_the_browser_blocks_nothing(
    live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Playwright's loop runs in this thread, which Django would take for an asynchronous one.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(f"{live_server.url}/api/docs/")
        page.locator(".opblock-tag", has_text="Venddor").wait_for()
        shown = page.locator(".opblock").count()
        browser.close()

    assert complaints == []
    assert shown == 10
