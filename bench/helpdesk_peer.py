"""django-helpdesk's REST ticket list over 5,000 tickets, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES: Final = ("django-helpdesk==2.6.1", "psycopg[binary]==3.3.9")
# Its own demo's settings, as far as the REST list needs them.
_PROGRAM: Final = """
import json, statistics, sys, time
from urllib.parse import urlsplit
import django
from django.conf import settings
parts = urlsplit(sys.argv[1])
settings.configure(
    SECRET_KEY="x" * 50, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], USE_TZ=True, SITE_ID=1,
    STATIC_URL="/static/", DEFAULT_AUTO_FIELD="django.db.models.AutoField", LOGGING_CONFIG=None,
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "bench_peer", "USER": parts.username,
                           "HOST": parts.hostname, "PORT": parts.port, "CONN_MAX_AGE": None}},
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages", "django.contrib.sites",
                    "django.contrib.humanize", "django.contrib.staticfiles", "rest_framework",
                    "helpdesk"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth",
                                                   "django.contrib.messages.context_processors.messages",
                                                   "django.template.context_processors.request"]}}],
    HELPDESK_ACTIVATE_API_ENDPOINT=True, HELPDESK_KB_ENABLED=True, HELPDESK_TEAMS_MODE_ENABLED=False,
)
django.setup()
from django.urls import include, path
from django.contrib import admin
urlpatterns = [path("admin/", admin.site.urls), path("", include("helpdesk.urls", namespace="helpdesk"))]
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from django.test import Client
from helpdesk.models import Queue, Ticket
user = User.objects.create_superuser("root", "root@example.com", "x")
queue = Queue.objects.create(title="Fila", slug="fila")
Ticket.objects.bulk_create(Ticket(queue=queue, title=f"Pedido {n}", description="Onde está o meu pedido?",
                                  submitter_email="a@example.com") for n in range(int(sys.argv[2])))
client = Client()
client.force_login(user)
took, rows = [], 0
for _ in range(2):
    began = time.perf_counter()
    # One page: every page walks all tickets, so that small ones cost the peer more.
    response = client.get(f"/api/tickets/?page_size={sys.argv[2]}")
    took.append(time.perf_counter() - began)
    assert response.status_code == 200, response.content[:300]
    rows = len(response.json()["results"])
import importlib.metadata
print(json.dumps([min(took), rows, importlib.metadata.version("django-helpdesk")]))
"""


@dataclass(frozen=True)
class Peer:
    """The quickest of some answers: its rows, and how long it took."""

    seconds: float
    rows: int
    version: str


def measure(python: Path, url: str, folder: Path, *, tickets: int) -> Peer:
    """What one page of the peer's list costs."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench_peer")
    program = folder / "peer_program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    ran = subprocess.run([python, program, url, str(tickets)], capture_output=True, text=True, check=False, cwd=folder)
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    seconds, rows, version = json.loads(ran.stdout.splitlines()[-1])
    return Peer(seconds, rows, version)
