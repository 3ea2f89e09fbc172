"""The viewer of the OpenAPI document in a real browser, under our Content-Security-Policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_viewer_shows_every_operation_and_the_browser_blocks_nothing(page: Page) -> None:
    paths = page.request.get("/api/schema/?format=json").json()["paths"]
    page.goto("/api/docs/")
    page.locator(".opblock-tag", has_text="Venddor").wait_for()
    assert page.locator(".opblock").count() == sum(len(operations) for operations in paths.values()) >= 10
