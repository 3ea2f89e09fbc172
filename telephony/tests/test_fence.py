"""A database that was put back, or that another server took over, dials nothing until a person has looked."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from callcenter.tests import engines
from telephony.models import CallAttempt, DialerSwitch
from telephony.services import fence
from telephony.services.placing import place_call
from telephony.services.sweeping import sweep
from telephony.services.switches import turn_dialer
from telephony.states import AttemptState, SwitchReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due


def put_back(**columns: Any) -> None:
    """Give the switch's row what it had at an earlier time."""
    DialerSwitch.objects.update(**columns)


@pytest.mark.django_db
def test_a_database_that_is_behind_its_mark_is_stopped_and_its_claims_are_in_doubt() -> None:
    line = make_callcenter()
    make_due(line.company, 3)
    first = timezone.now()
    assert len(claim(line, now=first)) == 3
    make_due(line.company)
    (late,) = claim(line, now=timezone.now())
    put_back(mark=1, marked_at=first)
    make_due(line.company)
    assert claim(line) == []
    switch = DialerSwitch.objects.get()
    assert (switch.is_on, switch.reason, switch.lost_from) == (False, SwitchReason.RESTORED, first)
    assert switch.lost_until is not None
    assert switch.lost_until >= late.claimed_at
    assert set(CallAttempt.objects.values_list("state", flat=True)) == {AttemptState.IN_DOUBT}
    turn_dialer(on=True, now=timezone.now(), actor=None, note="conferido")
    assert len(claim(line)) == 1
    assert DialerSwitch.objects.values_list("lost_until", "mark").get() == (None, 3)


@pytest.mark.django_db
def test_the_sweep_concludes_nothing_from_a_database_that_has_forgotten() -> None:
    line = make_callcenter()
    make_due(line.company)
    (attempt,) = claim(line)
    put_back(mark=0)
    CallAttempt.objects.update(lease_until=attempt.claimed_at)
    assert sweep(now=timezone.now())["claims"] == 0
    assert fresh(attempt)[0].state == AttemptState.IN_DOUBT


@pytest.mark.django_db
def test_a_worker_that_knows_more_than_the_database_sends_nothing() -> None:
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url)
        make_due(line.company)
        (attempt,) = claim(line)
        put_back(mark=0)
        place_call(attempt.pk)
        assert (pabx.posts, fresh(attempt)[0].state) == ([], AttemptState.RELEASED)


@pytest.mark.django_db
def test_another_server_or_timeline_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    line = make_callcenter()
    make_due(line.company)
    monkeypatch.setattr(fence, "server_identity", lambda: "7000000000000000001/00000001")
    assert len(claim(line)) == 1
    monkeypatch.setattr(fence, "server_identity", lambda: "7000000000000000001/00000002")
    make_due(line.company)
    assert claim(line) == []
    assert DialerSwitch.objects.get().reason == SwitchReason.FAILED_OVER
    turn_dialer(on=True, now=timezone.now(), actor=None, note="conferido")
    assert len(claim(line)) == 1


@pytest.mark.django_db
def test_without_a_place_for_the_mark_nothing_is_dialed(settings: Any, tmp_path: Path) -> None:
    line = make_callcenter()
    make_due(line.company)
    settings.DATA_DIR, settings.REDIS_URL = tmp_path / "gone", ""
    with pytest.raises(fence.NowhereToKeep):
        claim(line)


@pytest.mark.django_db
def test_a_mark_that_is_lost_or_torn_stops_nobody(settings: Any) -> None:
    line = make_callcenter()
    make_due(line.company, 2)
    settings.REDIS_URL = ""
    claim(line)
    (file,) = Path(django_settings.DATA_DIR).glob(f"dialer-mark-{DialerSwitch.objects.get().installation.hex}.txt")
    for content in ("", "1", "x y"):
        file.write_text(content)
        assert fence.look(now=timezone.now())
    file.unlink()
    assert fence.look(now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_real_copy_that_is_put_back_comes_up_with_the_dialer_off(tmp_path: Path) -> None:
    line = make_callcenter()
    make_due(line.company)
    assert len(claim(line)) == 1
    copy = _dumped(tmp_path)
    make_due(line.company, 2)
    assert len(claim(line)) == 2
    _load(copy)
    assert CallAttempt.objects.count() == 1
    make_due(line.company)
    assert claim(line) == []
    assert DialerSwitch.objects.get().reason == SwitchReason.RESTORED


def _dumped(folder: Path) -> Path:
    """A backup of this test's database."""
    copy = folder / "copy"
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        with sqlite3.connect(name) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        return copy
    _run("pg_dump", "--data-only", "--format=custom", f"--file={copy}", _url(name))
    return copy


def _load(copy: Path) -> None:
    """Put the backup in the place of this test's database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        with sqlite3.connect(copy) as source, sqlite3.connect(name) as target:
            source.backup(target)
        return
    tables = ", ".join(f'"{table}"' for table in connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    _run("pg_restore", "--data-only", "--disable-triggers", f"--dbname={_url(name)}", str(copy))


def _url(name: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _run(program: str, *words: str) -> None:
    binary = engines.postgres_programs() / program
    if not binary.exists():
        pytest.skip(f"no {program} beside this PostgreSQL")
    subprocess.run([str(binary), *words], check=True, capture_output=True)
