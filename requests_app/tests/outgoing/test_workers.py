"""Nothing is lost when workers are killed in the middle of sending; a worker for webhooks alone can be had."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from callcenter.tests.environment import ROOT, program_environment
from callcenter.tests.stack import Stack, wait_until
from requests_app.models import WebhookDelivery, WebhookEndpoint
from requests_app.tests.outgoing.receivers import Receiver
from requests_app.tests.outgoing.scenes import endpoint_at, waiting

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SETTINGS = {
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "WEBHOOK_DELIVERY_SECONDS": "0.5",
    # The lease is twice as long.
    "WEBHOOK_TIMEOUT_SECONDS": "2",
}


def all_delivered() -> bool:
    return not WebhookDelivery.objects.exclude(state=WebhookDelivery.State.DELIVERED).exists()


def test_killed_workers_lose_nothing_and_a_repetition_carries_its_id() -> None:
    with Receiver(delay_seconds=0.5) as receiver:
        sent = {one.message_id for _ in range(3) for one in waiting(endpoint_at(receiver.url), 30)}
        with Stack(**SETTINGS) as stack:
            stack.start_worker()
            wait_until(lambda: receiver.messages, seconds=30, what="the first message comes")
            stack.kill_worker()
            stack.start_worker()
            stack.kill_worker_at_random(2, chance=random.Random(7), between=(3, 4))
            wait_until(all_delivered, seconds=60, what="everything is delivered")
        counts = receiver.ids()
    assert set(counts) == sent
    # A try that a kill cut short is made again: as many as were under way, at most.
    assert sum(counts.values()) - len(counts) <= 3 * 12
    assert max(counts.values()) <= 4
    assert set(WebhookEndpoint.objects.values_list("failing_since", flat=True)) == {None}


def test_a_worker_of_their_own_delivers_webhooks(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "celery", "--quiet", "--app", "callcenter", "worker", "--beat", "--pool", "threads",
        "--concurrency", "1", "--queues", "webhooks", "--loglevel", "WARNING",
        "--schedule", str(tmp_path / "schedule"),
    ]  # fmt: skip
    with Receiver() as receiver:
        waiting(endpoint_at(receiver.url), 3)
        worker = subprocess.Popen(
            command, cwd=ROOT, env=program_environment(**SETTINGS), stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_until(all_delivered, seconds=30, what="everything is delivered")
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        assert len(receiver.messages) == 3
