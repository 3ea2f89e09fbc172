"""`docker-compose.yml` and the `Dockerfile`: what they promise, and every command and health check run for real.

There is no container engine here. A folder is filled as the Dockerfile's COPY lines say, and each service's command
runs in it with the service's environment, its secrets as files, and the engines of this half of the tests.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redis
import yaml

from callcenter.tests import engines
from callcenter.tests.environment import DUMMY_SECRETS, ROOT, documented_variables, own_engines
from callcenter.tests.programs import Program, poll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

APP_SERVICES = ("migrate", "web", "streams", "worker", "channel", "beat", "digitro", "directcall")
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def resolved(value: Any) -> Any:
    """A value of the file with `${NAME:-default}` replaced by its default and `$$` by `$`, as Compose does it."""
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, str):
        return value
    pattern = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?::-([^}]*))?\}")
    return pattern.sub(lambda match: match.group(2) or "", value).replace("$$", "$")


SERVICES: dict[str, dict[str, Any]] = resolved(yaml.safe_load(COMPOSE_TEXT))["services"]


@dataclass(frozen=True)
class Image:
    """The stand-in for a container: the image's folder, and the environment that every app service gets."""

    folder: Path
    environment: Mapping[str, str]
    log: Path

    def words(self, command: list[str] | str, port: int) -> list[str]:
        """A command of the file, on a free loopback port instead of the container's own."""
        listed = ["sh", "-c", command] if isinstance(command, str) else command
        text = json.dumps(listed).replace("0.0.0.0", "127.0.0.1")
        text = re.sub(r"\b(8000|8100|9100)\b", str(port), text.replace("http://directcall:9200", "http://127.0.0.1:9"))
        words: list[str] = json.loads(re.sub(r"(port [ ]*|port\", \"|', )9200\b", rf"\g<1>{port}", text))
        return words

    def start(self, service: str, port: int = 0) -> Program:
        """The service's command, running."""
        return Program(
            self.words(SERVICES[service]["command"], port), cwd=self.folder, env=self.environment, log=self.log
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in the image, run to its end."""
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def is_healthy(self, service: str, port: int = 0) -> bool:
        """What the service's health check says."""
        test = SERVICES[service]["healthcheck"]["test"]
        command = test[1] if test[0] == "CMD-SHELL" else test[1:]
        return self.run(*self.words(command, port)).returncode == 0


def copied(folder: Path) -> None:
    """Do what the Dockerfile's COPY lines of the last stage do, with `.dockerignore` in force."""
    for source, target in re.findall(r"^COPY ([a-z_.]+) (\S+)$", DOCKERFILE.split("\nFROM ")[-1], re.MULTILINE):
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        else:
            shutil.copy(ROOT / source, folder / target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, its static files collected as the Dockerfile does it, its database migrated by the service."""
    base = tmp_path_factory.mktemp("image")
    with own_engines(base) as variables:
        yield built_image(base, variables)


def built_image(base: Path, variables: Mapping[str, str]) -> Image:
    folder, run_secrets, data = base / "app", base / "secrets", base / "data"
    for made in (folder, run_secrets, data):
        made.mkdir()
    copied(folder)
    contents = {name.lower(): value for name, value in DUMMY_SECRETS.items()} | {
        "database_url": variables["DATABASE_URL"]
    }
    for name, value in contents.items():
        (run_secrets / name).write_text(value + "\n")
    environment = {
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "STATIC_COLLECTED": "true",
        "ENV_FILE": "",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "error::DeprecationWarning:callcenter",
    }
    building = re.search(r"^RUN (SECRET_KEY=.*?python manage.py collectstatic --noinput)", DOCKERFILE, re.MULTILINE)
    assert building is not None
    build_words = ["env", *shlex.split(building.group(1).replace("/tmp/build", str(base / "build")))]
    subprocess.run(build_words, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
    environment |= {
        name: value.replace("/run/secrets", str(run_secrets)) for name, value in SERVICES["web"]["environment"].items()
    }
    environment |= {"DATA_DIR": str(data), **{name: variables[name] for name in variables if "REDIS" in name}}
    stand_in = Image(folder, environment, base / "log")
    migrated = stand_in.run(*stand_in.words(SERVICES["migrate"]["command"], 0))
    assert migrated.returncode == 0, migrated.stderr
    return stand_in


def test_the_services_are_the_ones_of_the_design() -> None:
    assert set(SERVICES) == {"postgres", "redis", *APP_SERVICES}
    assert SERVICES["postgres"]["image"] == "postgres:17"
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["sim"]} == {
        "digitro",
        "directcall",
    }


def test_every_service_restarts_stops_in_its_own_time_and_is_watched() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] in {"unless-stopped", "on-failure:3"}, name
        if name != "migrate":
            assert service["stop_grace_period"], name
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
    assert SERVICES["migrate"]["healthcheck"] == {"disable": True}


def test_nothing_serves_before_the_database_is_migrated() -> None:
    for name in ("web", "worker", "channel", "beat"):
        assert SERVICES[name]["depends_on"] == {
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }


def test_workers_can_be_multiplied_and_beat_stays_alone() -> None:
    assert "container_name" not in COMPOSE_TEXT
    assert "ports" not in SERVICES["worker"]
    assert SERVICES["beat"]["deploy"] == {"replicas": 1}
    assert "--beat" not in json.dumps(SERVICES["worker"]["command"])


def test_no_container_of_ours_runs_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["callcenter"]
    assert DOCKERFILE.index("USER callcenter") < DOCKERFILE.index("\nCMD ")
    for name in APP_SERVICES:
        assert "user" not in SERVICES[name]
        assert "privileged" not in SERVICES[name]
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["read_only"] is True


def test_no_secret_stands_in_the_file_or_stays_in_the_image() -> None:
    secret = re.compile(r"SECRET|PEPPER|ENCRYPTION|PASSWORD|DATABASE_URL|TOKEN")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not secret.search(name) or (name.endswith("_FILE") and value.startswith("/run/secrets/")), name
    kept = " ".join(re.findall(r"^(?:ENV|ARG) .*$", DOCKERFILE, re.MULTILINE))
    assert not secret.search(kept)
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_every_secret_that_is_mounted_is_written_by_the_script(tmp_path: Path) -> None:
    for _ in range(2):
        subprocess.run([str(ROOT / "bin" / "secrets"), str(tmp_path / "secrets")], check=True, capture_output=True)
    written = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    declared = yaml.safe_load(COMPOSE_TEXT)["secrets"]
    assert {name: f"./secrets/{name}" for name in written} == {name: item["file"] for name, item in declared.items()}
    assert {name for service in SERVICES.values() for name in service.get("secrets", [])} == set(declared)
    assert written["postgres_password"] in written["database_url"]
    assert len(written["secret_key"]) == 64
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_every_variable_is_documented() -> None:
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", COMPOSE_TEXT))
    used |= {name.removesuffix("_FILE") for name in SERVICES["web"]["environment"]}
    assert used - set(documented_variables()) == set()


def test_the_image_starts_and_checks_the_web_server_as_the_file_does() -> None:
    command = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    check = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert command is not None
    assert check is not None
    assert json.loads(command.group(1)) == SERVICES["web"]["command"]
    assert ["CMD", *json.loads(check.group(1))] == SERVICES["web"]["healthcheck"]["test"]


def test_the_builder_is_sent_what_the_dockerfile_copies() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(re.findall(r"^COPY ([a-z_.]+) ", DOCKERFILE, re.MULTILINE)) == allowed


def test_the_web_server_answers_serves_hashed_static_files_and_stops(image: Image) -> None:
    port = engines.free_port()
    assert not image.is_healthy("web", port)
    with image.start("web", port) as web:
        web.until(lambda: image.is_healthy("web", port))
        manifest = json.loads((image.folder / "static-collected" / "staticfiles.json").read_text())
        stylesheet = manifest["paths"]["admin/css/base.css"]
        # As the proxy that ends HTTPS in front of it asks.
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/static/{stylesheet}", headers={"X-Forwarded-Proto": "https"}
        )
        with urllib.request.urlopen(asked, timeout=5) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        assert web.stop() == 0, web.output


def test_a_worker_runs_what_was_queued_and_ends_warmly(image: Image) -> None:
    ring = "import django; django.setup(); from callcenter.tasks import heartbeat; heartbeat.delay()"
    seen = (
        "import django; django.setup(); from callcenter.models import WorkerHeartbeat;"
        " raise SystemExit(not WorkerHeartbeat.objects.exists())"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "callcenter.settings"}
    outside = Image(image.folder, {**image.environment, **environment}, image.log)
    rung = outside.run("python", "-c", ring)
    assert rung.returncode == 0, rung.stderr
    assert outside.run("python", "-c", seen).returncode == 1
    with image.start("worker") as worker:
        worker.until(lambda: outside.run("python", "-c", seen).returncode == 0)
        assert poll(lambda: image.is_healthy("worker"))
        assert worker.stop() == 0, worker.output
    assert "Traceback" not in worker.output


def test_the_channel_reader_starts_is_well_without_lines_and_stops(image: Image) -> None:
    with image.start("channel") as reader:
        assert poll(lambda: image.is_healthy("channel"))
        assert reader.stop() == 0, reader.output
    assert "Traceback" not in reader.output


def test_beat_writes_down_its_schedule(image: Image) -> None:
    assert not image.is_healthy("beat")
    with image.start("beat") as beat:
        beat.until(lambda: image.is_healthy("beat"))
        assert beat.stop() == 0, beat.output
    assert "Traceback" not in beat.output


@pytest.mark.parametrize("service", ["digitro", "directcall", "streams"])
def test_a_simulator_and_the_stream_process_listen_and_stop(image: Image, service: str) -> None:
    port = engines.free_port()
    assert not image.is_healthy(service, port)
    with image.start(service, port) as simulator:
        simulator.until(lambda: image.is_healthy(service, port))
        assert simulator.stop() == 0, simulator.output


def test_redis_takes_its_options_and_throws_no_message_away(tmp_path: Path) -> None:
    port = engines.free_port()
    command = [engines.redis_server(), *SERVICES["redis"]["command"][1:], "--port", str(port), "--bind", "127.0.0.1"]
    with (
        redis.Redis(port=port) as client,
        Program(command, cwd=tmp_path, env=os.environ, log=tmp_path / "log") as server,
    ):

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        server.until(answers)
        settings: Any = client.config_get("*")
        assert (settings["maxmemory-policy"], settings["appendonly"]) == ("noeviction", "yes")
        assert server.stop() == 0
