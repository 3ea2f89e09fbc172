"""Sets the environment before Django loads, and says what a run did and did not run.

The settings module is named here and nowhere in pytest's configuration: pytest-django would load it before this file.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from callcenter.tests import environment
from callcenter.tests.browser import browser, page
from callcenter.tests.database import drop_database, make_database
from callcenter.tests.report import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator

# One Chromium for all apps: Playwright can't be started twice in one process.
__all__ = ["browser", "page"]

if settings.configured:
    raise pytest.UsageError("Django's settings were loaded too early; unset DJANGO_SETTINGS_MODULE and leave out --ds.")

_started_at = time.monotonic()
_run = environment.prepare()
if not _run.is_worker:
    # Told to end from outside, a run cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
django.setup()
# The same hash at its lowest price: hundreds of users are made, and none of their passwords is worth stealing.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


def pytest_sessionstart(session: pytest.Session) -> None:
    """The xdist workers, which inherit this environment, must not load the settings before their own conftest does."""
    if session.config.getoption("numprocesses", None):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests go first, so that no process ends the run alone with one."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A browser test without a Chromium is skipped with the reason; on CI it has failed."""
    if item.get_closest_marker("browser") and not environment.chromium_path():
        reason = "no Chromium found; install it or set CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, which migrates in each process."""
    with django_db_blocker.unblock():
        make_database(_run.folder, _run.worker or "alone")
    yield
    with django_db_blocker.unblock():
        drop_database()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, exitstatus: int) -> None:
    """Leaves the counts in the file that `TEST_REPORT` names."""
    path = os.environ.get("TEST_REPORT")
    if path and Path(path).parent.is_dir() and not _run.is_worker:
        write_report(
            Path(path),
            terminalreporter.stats,
            seconds=time.monotonic() - _started_at,
            engines=_run.engine_versions(),
            ended=exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED},
        )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_unconfigure() -> Iterator[None]:
    """Stops the servers and removes the folder, after everybody else has cleaned up."""
    try:
        return (yield)
    finally:
        _run.close()
