"""The page for integrators says what the code does, and its example verifies what the code signs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from callcenter.lib.standard_webhooks import headers, new_secret
from callcenter.tests.environment import ROOT
from requests_app.models.outgoing import WebhookEvent
from requests_app.services.deliveries import RETRY_DELAYS

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


@pytest.fixture
def is_genuine() -> Any:
    """The page's Python function."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "webhooks.md", "exec"), names)
    return names["is_genuine"]


def test_the_pages_function_accepts_what_we_sign_and_nothing_else(is_genuine: Any) -> None:
    old, new, body = new_secret(), new_secret(), '{"type":"x","n":"é"}'.encode()
    signed = headers([new, old], message_id="msg_1", at=timezone.now(), content=body)
    assert is_genuine(new, signed, body)
    assert is_genuine(old, signed, body)
    assert not is_genuine(new_secret(), signed, body)
    assert not is_genuine(new, signed, body + b" ")
    assert not is_genuine(new, {**signed, "webhook-id": "msg_2"}, body)
    past = headers([new], message_id="msg_1", at=timezone.now() - timedelta(minutes=6), content=body)
    assert not is_genuine(new, past, body)


def test_the_page_names_every_event_and_no_other() -> None:
    assert set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE, flags=re.MULTILINE)) == set(WebhookEvent.values)


def test_the_page_prints_the_schedule() -> None:
    hours = [int(delay.total_seconds()) // 3600 for delay in RETRY_DELAYS[3:]]
    text = f"5 seconds, 5 minutes, 30 minutes, {', '.join(map(str, hours[:-1]))} and {hours[-1]} hours"
    assert text in " ".join(PAGE.split())
    assert [int(delay.total_seconds()) for delay in RETRY_DELAYS[:3]] == [5, 300, 1800]
