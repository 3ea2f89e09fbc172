"""The typed reader of the process environment: every refusal names the variable, none repeats its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ImproperlyConfigured

from callcenter.lib.env import reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from callcenter.lib.env import Env

env = reader(None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), (" yes ", True), ("on", True), ("0", False), ("False", False), ("off", False)],
)
def test_a_boolean_is_read_from_the_usual_words(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("SOME_SWITCH", text)
    assert env.bool("SOME_SWITCH", default=not value) is value


@pytest.mark.parametrize("text", ["maybe", "2", "tru"])
def test_any_other_word_is_refused_and_not_taken_for_false(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME_SWITCH", text)
    with pytest.raises(ImproperlyConfigured, match="SOME_SWITCH must be true or false"):
        env.bool("SOME_SWITCH", default=True)


@pytest.mark.parametrize(
    ("read", "text", "kind"),
    [(env.int, "ten", "int"), (env.int, "1.5", "int"), (env.int, "", "int"), (env.float, "fast", "float")],
)
def test_a_number_that_is_none_is_refused_by_name_and_kind(
    monkeypatch: pytest.MonkeyPatch, read: Callable[..., object], text: str, kind: str
) -> None:
    monkeypatch.setenv("SOME_NUMBER", text)
    with pytest.raises(ImproperlyConfigured, match=f"SOME_NUMBER is set, but can't be read as {kind}") as refusal:
        read("SOME_NUMBER", default=1)
    assert not text or text not in str(refusal.value)


def test_what_is_missing_is_named_with_the_ways_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_TEXT", raising=False)
    with pytest.raises(ImproperlyConfigured, match=r"SOME_TEXT is not set.*SOME_TEXT_FILE.*\.env\.example"):
        env.str("SOME_TEXT")
    assert env.str("SOME_TEXT", default="plan B") == "plan B"
    assert env.bool("SOME_SWITCH", default=True) is True


def test_a_boolean_without_default_is_missing_like_any_other() -> None:
    with pytest.raises(ImproperlyConfigured, match="SOME_SWITCH is not set"):
        env.bool("SOME_SWITCH")


def test_a_secret_may_lie_in_a_file_that_ends_with_a_newline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file, long enough\n")
    monkeypatch.setenv("FILED_SECRET_FILE", str(tmp_path / "secret"))
    assert env.secret("FILED_SECRET", minimum_length=10) == "from the file, long enough"


def test_a_database_url_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgres://somebody:s3cr3t@db:5432/callcenter\n")
    monkeypatch.setenv("SOME_URL_FILE", str(tmp_path / "url"))
    database = env.db_url("SOME_URL")
    assert (database["HOST"], database["NAME"], database["PASSWORD"]) == ("db", "callcenter", "s3cr3t")


def test_a_file_that_is_not_there_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOST_SECRET_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match="LOST_SECRET_FILE names a file that can't be read: No such file"):
        env.secret("LOST_SECRET", default="")


def test_a_secret_that_is_too_short_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "hunter2")
    with pytest.raises(ImproperlyConfigured, match="SOME_SECRET must have at least 50 characters") as refusal:
        env.secret("SOME_SECRET", minimum_length=50)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_a_required_secret_must_not_be_empty(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME_SECRET", text)
    with pytest.raises(ImproperlyConfigured, match="SOME_SECRET is empty"):
        env.secret("SOME_SECRET", minimum_length=32)
    assert env.secret("SOME_SECRET", default="") == ""


def test_an_empty_switch_takes_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SWITCH", "")
    assert env.bool("SOME_SWITCH", default=True) is True
    assert env.bool("SOME_SWITCH", default=False) is False


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    (tmp_path / ".env").write_text("FROM_FILE=of the file\nFROM_BOTH=of the file\n# FROM_COMMENT=no\n")
    # Both are set here first, so that the test's end removes what read_env() puts into the environment.
    monkeypatch.setenv("FROM_FILE", "")
    monkeypatch.delenv("FROM_FILE")
    monkeypatch.setenv("FROM_BOTH", "of the environment")
    return reader(tmp_path / ".env")


def test_the_environment_wins_over_the_env_file(env_file: Env) -> None:
    assert env_file.str("FROM_FILE") == "of the file"
    assert env_file.str("FROM_BOTH") == "of the environment"
    assert env_file.str("FROM_COMMENT", default="") == ""
