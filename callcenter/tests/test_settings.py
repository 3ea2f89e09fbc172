"""The settings: in step with `.env.example`, loud about what is wrong, and fit for production."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from callcenter.tests.environment import DUMMY_SECRETS, ROOT, documented_variables

if TYPE_CHECKING:
    from pathlib import Path

# Read by the start scripts and the containers only.
SCRIPTS = ("bin/run", "bin/prepare.sh", "Procfile", "docker-compose.yml", "Dockerfile")
PRODUCTION = {
    "HTTPS": "true",
    "PROXY_COUNT": "1",
    "ALLOWED_HOSTS": "callcenter.example.com",
    "PUBLIC_URL": "https://callcenter.example.com",
    "SECRET_KEY": "hV3-kQ9xW2_zB7nM5pL8sD1fG4jH6tY0uI3oA9eR2wC5vX8bN1",
}


def settings_source() -> str:
    return (ROOT / "callcenter" / "settings.py").read_text(encoding="utf-8")


def variables_of_the_settings() -> set[str]:
    return set(re.findall(r"""(?:env|reader\(None\))\.\w+\(\s*"([A-Z0-9_]+)\"""", settings_source()))


def run(data_dir: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a fresh Python says with nothing in its environment but a PATH, dummy secrets and these variables."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), "ENV_FILE": "", **DUMMY_SECRETS, **variables}
    environment = {name: value for name, value in environment.items() if value != "(unset)"}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def value_of(expression: str, data_dir: Path, **variables: str) -> str:
    """An expression over the settings, as a fresh process sees it; the last line of its error when it does not load."""
    code = f"from callcenter import settings; print({expression})"
    ran = run(data_dir, "-c", code, **variables)
    return (ran.stdout if ran.returncode == 0 else ran.stderr).strip().splitlines()[-1]


def test_every_variable_that_the_settings_read_is_documented() -> None:
    read = variables_of_the_settings()
    assert {"SECRET_KEY", "DATABASE_URL", "ENV_FILE", "LOG_LEVEL"} <= read
    assert read - set(documented_variables()) == set()


def test_every_documented_variable_is_read_by_somebody() -> None:
    scripts = "".join((ROOT / name).read_text(encoding="utf-8") for name in SCRIPTS)
    orphans = set(documented_variables()) - variables_of_the_settings()
    assert {name for name in orphans if not re.search(rf"\b{name}\b", scripts)} == set()


def test_nothing_is_documented_twice() -> None:
    names = documented_variables()
    assert len(names) == len(set(names))


def test_the_documented_defaults_are_the_ones_in_force(tmp_path: Path) -> None:
    """The commented-out values, put into a process, change nothing."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"^# ([A-Z][A-Z0-9_]+)=(.+)$", text, flags=re.MULTILINE))
    known = {name: value for name, value in defaults.items() if name in variables_of_the_settings()}
    assert len(known) > 15
    dump = "{n: v for n, v in sorted(vars(settings).items()) if n.isupper() or n == '_database'}"
    assert value_of(dump, tmp_path, **known) == value_of(dump, tmp_path)


@pytest.mark.parametrize("name", sorted(DUMMY_SECRETS))
@pytest.mark.parametrize("value", ["(unset)", ""])
def test_a_missing_or_empty_secret_is_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    refusal = value_of("1", tmp_path, **{name: value})
    assert refusal.startswith(f"django.core.exceptions.ImproperlyConfigured: {name} is ")
    assert f"{name}_FILE" in refusal


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 50 characters."),
        ({"TOKEN_PEPPER": "short"}, "TOKEN_PEPPER must have at least 32 characters."),
        ({"FIELD_ENCRYPTION_KEYS": ","}, "FIELD_ENCRYPTION_KEYS needs at least one Fernet key."),
        ({"DEBUG": "perhaps"}, "DEBUG must be true or false."),
        ({"HTTPS": "https"}, "HTTPS must be true or false."),
        ({"PROXY_COUNT": "one"}, "PROXY_COUNT is set, but can't be read as int."),
        ({"DIALER_TICK_SECONDS": "often"}, "DIALER_TICK_SECONDS is set, but can't be read as float."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be text or json."),
        (
            {"FAILED_LOGIN_WINDOW_SECONDS": "0"},
            "FAILED_LOGIN_WINDOW_SECONDS, LOGIN_KEY_DAYS and LOGIN_KEYS_PER_USER must be 1 or more.",
        ),
        (
            {"CSCART_HOSTS": "a.example.com", "VENDDOR_HOSTS": "b.example.com,A.example.com"},
            "CSCART_HOSTS, VENDDOR_HOSTS and TEMPBOX_HOSTS must not name the same host.",
        ),
        (
            {"SECRET_KEY_FILE": "/nowhere/key"},
            "SECRET_KEY_FILE names a file that can't be read: No such file or directory.",
        ),
    ],
)
def test_a_value_that_can_not_be_used_is_a_sentence(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    assert value_of("1", tmp_path, **variables) == f"django.core.exceptions.ImproperlyConfigured: {sentence}"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 60 + "\n")
    (tmp_path / "url").write_text("postgres://u:p%40ss@db/callcenter\n")
    expression = "len(settings.SECRET_KEY), settings.DATABASES['default']['PASSWORD']"
    files = {"SECRET_KEY_FILE": str(tmp_path / "key"), "DATABASE_URL_FILE": str(tmp_path / "url")}
    assert value_of(expression, tmp_path, SECRET_KEY="(unset)", **files) == "60 p@ss"


def test_the_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "own.env").write_text("LOG_LEVEL=DEBUG\nCSCART_ITEMS_PER_PAGE=25\n")
    expression = "settings.LOG_LEVEL, settings.CSCART_ITEMS_PER_PAGE"
    variables = {"ENV_FILE": str(tmp_path / "own.env"), "LOG_LEVEL": "ERROR"}
    assert value_of(expression, tmp_path, **variables) == "ERROR 25"


def test_nothing_set_means_sqlite_and_a_broker_in_files_below_the_data_folder(tmp_path: Path) -> None:
    expression = "settings.DATABASES['default']['NAME'], settings.CELERY_BROKER_URL"
    for variables in ({}, {"DATABASE_URL": "", "REDIS_URL": ""}):
        assert (
            value_of(expression, tmp_path, **variables) == f"{tmp_path / 'callcenter.sqlite3'} filesystem://localhost//"
        )
    assert (tmp_path / "broker" / "queue").is_dir()


@pytest.mark.django_db
def test_a_commit_is_on_the_disk_before_a_call_follows_it_whatever_the_server_is_set_to() -> None:
    # The servers of the tests are set to synchronous_commit=off.
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit" if connection.vendor == "postgresql" else "PRAGMA synchronous")
        assert cursor.fetchone()[0] == ("on" if connection.vendor == "postgresql" else 2)


def test_a_postgres_and_a_redis_url_are_all_that_production_engines_need(tmp_path: Path) -> None:
    expression = (
        "settings.DATABASES['default']['ENGINE'], settings.CELERY_BROKER_URL,"
        " settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']"
    )
    urls = {"DATABASE_URL": "postgres://u:p@db:5432/callcenter", "REDIS_URL": "redis://redis:6379/0"}
    assert value_of(expression, tmp_path, **urls) == ("callcenter.lib.postgresql redis://redis:6379/0 callcenter:")


def test_the_hosts_of_a_dialect_are_answered_to_as_well(tmp_path: Path) -> None:
    hosts = {"ALLOWED_HOSTS": "a.example.com", "CSCART_HOSTS": "b.example.com", "VENDDOR_HOSTS": ".c.example.com"}
    assert value_of("*settings.ALLOWED_HOSTS", tmp_path, **hosts) == "a.example.com b.example.com .c.example.com"


def test_production_like_settings_pass_djangos_deployment_check(tmp_path: Path) -> None:
    checked = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert checked.returncode == 0, checked.stderr


def test_behind_https_every_cookie_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    expression = ", ".join(f"settings.{name}" for name in names)
    assert value_of(expression, tmp_path, **PRODUCTION) == "__Host-sessionid __Host-csrftoken True True"


def test_the_collected_static_files_are_hashed_and_compressed(tmp_path: Path) -> None:
    expression = "settings.STORAGES['staticfiles']['BACKEND'], settings.WHITENOISE_USE_FINDERS"
    collected = value_of(expression, tmp_path, STATIC_COLLECTED="true")
    assert collected == "whitenoise.storage.CompressedManifestStaticFilesStorage False"
