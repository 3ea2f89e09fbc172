"""`bin/run` and `bin/test`: what they refuse and how, the first `.env`, and a whole start and stop in a fresh copy."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests import engines, report
from callcenter.tests.environment import ROOT, own_engines
from callcenter.tests.programs import Program, poll

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = ("callcenter", "requests_app", "telephony", "helpdesk", "templates")
FILES = ("manage.py", "Procfile", ".env.example", "requirements.txt", "requirements-dev.txt")
# A first start migrates and fills the demo: a minute and more of processor time among other tests.
START_SECONDS = 300
# What a terminal has, and nothing of this test run.
TERMINAL = {"HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
TOOLS = ("bash", "basename", "cat", "cksum", "dirname", "env", "grep", "mkdir", "sed", "tail", "tr", "xargs")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project as a clone would hold it, without environment, settings and data."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("bin", *PACKAGES):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture
def installed(checkout: Path) -> Path:
    """The copy with this run's environment as its `.venv`, marked as up to date."""
    environment = checkout / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if not path.name.startswith(".installed-"):
            (environment / path.name).symlink_to(path)
    prepare = '. bin/prepare.sh; fingerprint requirements*.txt >".venv/.installed-requirements.txt"'
    assert said(checkout, "bash", "-c", prepare, env=terminal())[0] == 0
    return checkout


def terminal(**variables: str) -> dict[str, str]:
    return {**TERMINAL, "PATH": os.environ["PATH"], **variables}


def said(checkout: Path, *words: str, env: Mapping[str, str]) -> tuple[int, str]:
    """The exit code of a command of the checkout, and everything it said."""
    ran = subprocess.run(
        words, cwd=checkout, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def path_with_python(folder: Path, script: str) -> str:
    """A PATH with the tools of every system and one `python3`, which is the script."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    if script:
        python = folder / "python3"
        python.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        python.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("command", ["bin/run", "bin/test"])
def test_help_is_given_without_installing_anything(checkout: Path, command: str) -> None:
    code, output = said(checkout, command, "--help", env=terminal())
    assert code == 0
    assert output.startswith(command)
    assert not (checkout / ".venv").exists()


def test_an_unknown_option_is_refused(checkout: Path) -> None:
    code, output = said(checkout, "bin/run", "--nodemo", env=terminal())
    assert code == 1
    assert "run: unknown option --nodemo" in output


@pytest.mark.parametrize("command", ["bin/run", "bin/test"])
def test_without_a_python_it_says_what_is_needed(checkout: Path, tmp_path: Path, command: str) -> None:
    code, output = said(checkout, command, env=terminal(PATH=path_with_python(tmp_path / "path", "")))
    assert code == 1
    assert "Python 3.11 or newer is needed; no python3 was found." in output
    assert "Traceback" not in output


def test_a_python_that_is_too_old_is_named(checkout: Path, tmp_path: Path) -> None:
    old = 'case "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac'
    code, output = said(checkout, "bin/run", env=terminal(PATH=path_with_python(tmp_path / "path", old)))
    assert code == 1
    assert output.strip() == (
        "run: Python 3.11 or newer is needed; python3 is 3.9; Install it, or name it: PYTHON=/path/to/python3"
    )


def test_a_python_that_can_not_make_an_environment_is_named_with_the_cure(checkout: Path, tmp_path: Path) -> None:
    bare = 'case "$2" in *print*) echo 3.11 ;; *ensurepip*) exit 1 ;; esac'
    code, output = said(checkout, "bin/run", env=terminal(PATH=path_with_python(tmp_path / "path", bare)))
    assert code == 1
    assert "apt-get install python3-venv" in output


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("error: command 'gcc' failed: No such file or directory", "the compiler for it is missing"),
        # How today's setuptools says the same.
        ("      error: [Errno 2] No such file or directory: 'gcc'", "the compiler for it is missing"),
        ("error: can't find Rust compiler", "the compiler for it is missing"),
        ("ERROR: Could not find a version … Temporary failure in name resolution", "could not be fetched"),
        ("ERROR: No matching distribution found for Django==5.2.19", "could not be fetched"),
        ("ERROR: [Errno 28] No space left on device", "could not be installed"),
    ],
)
def test_a_failed_installation_is_explained(checkout: Path, tmp_path: Path, log: str, sentence: str) -> None:
    (tmp_path / "install.log").write_text(f"Collecting x\n{log}\n")
    explain = f'. bin/prepare.sh; explain_failed_install "{tmp_path}/install.log"'
    code, output = said(checkout, "bash", "-c", explain, env=terminal())
    assert code == 1
    assert sentence in output
    assert f"{tmp_path}/install.log" in output


@pytest.mark.parametrize("name", ["PORT", "DIGITRO_SIM_PORT"])
def test_a_port_that_is_taken_is_refused_in_a_sentence(installed: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        variables = {"PORT": str(engines.free_port()), **{name: port}}
        code, output = said(installed, "bin/run", env=terminal(**variables))
    assert code == 1
    assert f"port {port} is taken (or no port); choose another: {name}=" in output
    assert "Traceback" not in output


def test_the_first_env_file_has_secrets_of_its_own_and_is_never_overwritten(installed: Path) -> None:
    write = [". bin/prepare.sh; write_first_env_file"]
    assert said(installed, "bash", "-c", *write, env=terminal())[0] == 0
    first = (installed / ".env").read_text()
    assert (installed / ".env").stat().st_mode & 0o777 == 0o600
    for name, length in (("SECRET_KEY", 60), ("TOKEN_PEPPER", 50), ("FIELD_ENCRYPTION_KEYS", 44)):
        assert re.search(rf"^{name}=[\w=-]{{{length},}}$", first, re.MULTILINE), name
    assert said(installed, "bash", "-c", *write, env=terminal()) == (0, "")
    assert (installed / ".env").read_text() == first
    (installed / ".env").unlink()
    said(installed, "bash", "-c", *write, env=terminal())
    assert (installed / ".env").read_text() != first


def test_a_setting_comes_from_the_environment_then_from_the_env_file_then_from_the_default(checkout: Path) -> None:
    (checkout / ".env").write_text("PORT=8111\n# DATA_DIR=/no\n")
    ask = '. bin/prepare.sh; echo "$(setting PORT 8000) $(setting DATA_DIR var)"'
    assert said(checkout, "bash", "-c", ask, env=terminal()) == (0, "8111 var\n")
    assert said(checkout, "bash", "-c", ask, env=terminal(PORT="8222")) == (0, "8222 var\n")


@pytest.fixture
def ports() -> dict[str, str]:
    return {name: str(engines.free_port()) for name in ("PORT", "DIGITRO_SIM_PORT", "DIRECTCALL_SIM_PORT")}


@pytest.mark.slow
def test_it_starts_greets_serves_and_leaves_no_process_behind(
    installed: Path, tmp_path: Path, ports: dict[str, str]
) -> None:
    address = f"http://127.0.0.1:{ports['PORT']}"
    with own_engines(tmp_path) as variables:
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            log = tmp_path / f"{number.name}.log"
            env = terminal(**ports, **variables)
            with Program([str(installed / "bin/run")], cwd=installed, env=env, log=log) as started:
                started.until(lambda: "Ctrl-C stops everything." in started.output, seconds=START_SECONDS)
                greeting = started.output.partition("listening on")[2]
                assert f"{address}/admin/" in greeting
                assert "curl" in greeting
                # The worker with its beat is there, too.
                started.until(lambda: is_ready(address), seconds=45)
                # A call that the last stop cut off in the simulators must not keep an attendant for hours.
                assert "DIALER_TALK_TIMEOUT_SECONDS=60" in environment_of(started.process.pid)
                assert started.stop(number, seconds=45) == code, started.output
                assert poll(lambda: not processes_of(installed), seconds=10), processes_of(installed)
                assert "Traceback" not in started.output
                assert "Warning" not in started.output
    assert (installed / "var").stat().st_mode & 0o777 == 0o700


def test_it_starts_empty_when_asked(installed: Path, tmp_path: Path, ports: dict[str, str]) -> None:
    with (
        own_engines(tmp_path) as variables,
        Program(
            [str(installed / "bin/run"), "--no-demo"],
            cwd=installed,
            env=terminal(**ports, **variables),
            log=tmp_path / "log",
        ) as started,
    ):
        started.until(lambda: "Ctrl-C stops everything." in started.output, seconds=START_SECONDS)
        assert "manage.py createsuperuser" in started.output
        assert "digitro" not in started.output
        assert started.stop(seconds=45) == 143


def test_a_service_that_is_killed_ends_the_others_and_its_own_children(installed: Path, tmp_path: Path) -> None:
    # Like the worker with its beat: the child keeps the pipe open to which the supervisor listens.
    (installed / "Procfile").write_text(
        "family: exec bash -c 'sleep 300 & echo has a child; wait'\nother: exec sleep 300\n"
    )
    words = [sys.executable, str(installed / "bin/supervise"), "family", "other"]
    with Program(words, cwd=installed, env=terminal(), log=tmp_path / "log") as started:
        started.until(lambda: "has a child" in started.output)
        pid = re.search(r"family\.1 +started \(pid=(\d+)\)", started.output)
        assert pid is not None, started.output
        os.kill(int(pid[1]), signal.SIGKILL)
        assert poll(lambda: started.process.poll() is not None, seconds=20), started.output
        assert started.process.returncode != 0
        assert "family.1 stopped (rc=-9)" in started.output
        assert poll(lambda: not processes_of(installed), seconds=5), processes_of(installed)


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5):
            return True
    except urllib.error.HTTPError as not_yet:
        not_yet.close()
        return False


def environment_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_text().split("\0")


def processes_of(checkout: Path) -> list[str]:
    """The command lines of the processes that work in the checkout's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == checkout:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_the_summary_ends_with_the_plain_line_and_counts_a_half_that_broke_off(tmp_path: Path) -> None:
    path = tmp_path / "embedded.json"
    report.write_report(path, {"passed": [1, 2], "error": [1]}, seconds=3.14, engines="SQLite 3", ended=True)
    text, all_well = report.summary({"embedded": path, "servers": tmp_path / "missing.json"})
    assert not all_well
    assert text.splitlines()[-1] == "2 passed, 2 failed, 0 skipped"
    assert re.search(r"^embedded +2 +1 +0 +3\.1  SQLite 3$", text, re.MULTILINE)
    assert "broke off" in text


def test_the_summary_names_what_was_not_run(tmp_path: Path) -> None:
    class Skipped:
        longrepr = ("file.py", 3, "Skipped: no Chromium found")

    path = tmp_path / "embedded.json"
    stats: dict[str, list[Any]] = {"passed": [1], "skipped": [Skipped(), Skipped()]}
    report.write_report(path, stats, seconds=1, engines="SQLite 3", ended=True)
    text, all_well = report.summary({"embedded": path})
    assert all_well
    assert "  embedded: 2 × no Chromium found" in text
    assert text.splitlines()[-1] == "1 passed, 0 failed, 2 skipped"


def test_a_run_without_a_single_passed_test_is_no_success(tmp_path: Path) -> None:
    path = tmp_path / "embedded.json"
    report.write_report(path, {}, seconds=1, engines="SQLite 3", ended=True)
    assert report.main([f"embedded={path}"]) == 1
