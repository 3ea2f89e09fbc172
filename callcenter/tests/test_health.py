"""`/healthz` and `/readyz` as an operator's prober sees them, with each part taken away in turn."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import OperationalError
from django.test import Client
from django.utils import timezone

from callcenter.health import broker_answers
from callcenter.models import WorkerHeartbeat
from callcenter.tasks import heartbeat

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings


def ready() -> tuple[int, Any]:
    """The status and the body of `/readyz`."""
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def take_database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every query fail as it does when the server is gone."""

    def refuse(*_args: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", refuse)


def test_healthz_answers_without_asking_the_database() -> None:
    # No `django_db` mark: any query would fail this test.
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_allowed(path: str) -> None:
    assert Client().post(path).status_code == 405


@pytest.mark.django_db
def test_ready_when_a_worker_ran_the_heartbeat() -> None:
    heartbeat()
    assert ready() == (200, {"status": "ok"})


@pytest.mark.django_db
def test_the_heartbeat_keeps_one_row() -> None:
    heartbeat()
    before = WorkerHeartbeat.objects.get().at
    heartbeat()
    assert WorkerHeartbeat.objects.get().at > before


@pytest.mark.django_db
def test_not_ready_before_the_first_heartbeat() -> None:
    assert ready() == (503, {"status": "unavailable", "failed": ["worker"]})


@pytest.mark.django_db
def test_not_ready_when_the_worker_was_last_seen_a_minute_ago() -> None:
    WorkerHeartbeat.objects.create(at=timezone.now() - timedelta(seconds=59))
    assert ready()[0] == 200
    WorkerHeartbeat.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert ready() == (503, {"status": "unavailable", "failed": ["worker"]})


@pytest.mark.django_db
def test_a_database_that_is_down_is_named_and_so_is_the_worker_that_nobody_can_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heartbeat()
    connections["default"].ensure_connection()
    with monkeypatch.context() as patched:
        take_database_away(patched)
        assert ready() == (503, {"status": "unavailable", "failed": ["database", "worker", "channel"]})
        assert Client().get("/healthz").status_code == 200
    assert ready()[0] == 200


@pytest.mark.django_db
def test_a_redis_that_refuses_is_named(settings: Settings) -> None:
    heartbeat()
    settings.REDIS_URL = "redis://:s3cret@127.0.0.1:1/0"
    assert ready() == (503, {"status": "unavailable", "failed": ["broker"]})


def test_a_redis_that_hangs_is_given_up_within_seconds(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        answers: list[bool] = []
        # In a thread, so that an endless wait fails this test and does not hang the run.
        asking = threading.Thread(target=lambda: answers.append(broker_answers()), daemon=True)
        asking.start()
        asking.join(timeout=10)
        assert answers == [False]


@pytest.mark.django_db
def test_a_broker_folder_that_is_gone_is_named(settings: Settings, tmp_path: Path) -> None:
    heartbeat()
    settings.REDIS_URL = ""
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "gone")}
    assert ready() == (503, {"status": "unavailable", "failed": ["broker"]})


@pytest.mark.django_db
def test_the_log_names_the_error_and_not_the_address(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = "redis://:s3cret@127.0.0.1:1/0"
    ready()
    assert "ConnectionError" in caplog.text
    assert "s3cret" not in caplog.text
