"""Who may import whom: every import is read, and an arrow that runs the wrong way fails by name.

callcenter.urls · settings · celery …        name everyone; nobody imports them
                    │
                telephony
                │       │
      requests_app     helpdesk              never import each other, nor telephony
                └───┬───┘
    callcenter.accounts → callcenter.lib
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("callcenter", "requests_app", "helpdesk", "telephony")
COMPOSITION: Final = "callcenter"

# App -> the apps it may import from.
ARROWS: Final[dict[str, frozenset[str]]] = {
    "callcenter.lib": frozenset(),
    "callcenter.accounts": frozenset({"callcenter.lib"}),
    "requests_app": frozenset({"callcenter.accounts", "callcenter.lib"}),
    "helpdesk": frozenset({"callcenter.accounts", "callcenter.lib"}),
    "telephony": frozenset({"requests_app", "helpdesk", "callcenter.accounts", "callcenter.lib"}),
}
# What an app shows to the others.
DOORS: Final = frozenset({"services", "selectors", "data"})
# Modules that others may import although they are no door, and why.
OPEN_MODULES: Final = {
    "callcenter.accounts.models": "companies and users are everybody's; foreign keys and forms name them",
    "requests_app.states": "the vocabulary in which telephony reports outcomes",
    "requests_app.schedule": "pure arithmetic; the customer's contact window is asked again before each call",
    "helpdesk.timeline": "where other apps register what they know of a contact, and what asks for a callback",
    "requests_app.timeline": "where other apps register what they know of a request",
}
# Inside an app: a module may import those of its own row and of the rows above it.
LAYERS: Final = (
    {
        *("states", "data", "pacing", "schedule", "roles", "calendar", "flows"),
        *("rule_terms", "weekly_hours", "rulebook", "metering"),
    },
    {"models", "querysets"},
    {"selectors", "providers", "channels", "timeline"},
    {"services"},
    {"tasks"},
    {"views", "dialects", "tempbox", "webhooks", "chat"},
    {"admin", "urls", "management", "apps"},
)
RANK: Final = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# Siblings that never import each other.
STRANGERS: Final = (
    ("requests_app.dialects.cscart", "requests_app.dialects.venddor"),
    ("telephony.providers.digitro", "telephony.providers.directcall"),
)
# Programs that share no code with what they are there to test.
ISLANDS: Final = ("telephony.simulators", "helpdesk.simulators")


class Import(NamedTuple):
    """One imported module or name; `is_for_types` when it is imported for the type checker only."""

    name: str
    is_for_types: bool


def imports_in(source: str) -> Iterator[Import]:
    """Every import of the text, wherever it stands."""

    def walk(node: ast.AST, is_for_types: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, is_for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            yield from (Import(f"{node.module}.{alias.name}", is_for_types) for alias in node.names)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                yield from walk(statement, True)
            for statement in node.orelse:
                yield from walk(statement, is_for_types)
        else:
            for child in ast.iter_child_nodes(node):
                yield from walk(child, is_for_types)

    yield from walk(ast.parse(source), False)


def app_of(module: str) -> str:
    """The app that a module belongs to; the composition's modules are one app."""
    return next((app for app in ARROWS if is_in(module, app)), module.partition(".")[0])


def is_in(module: str, package: str) -> bool:
    """Whether the module is the package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def room_of(module: str) -> str:
    """The part of the module's name that says which layer of its app it is in."""
    return module.removeprefix(f"{app_of(module)}.").partition(".")[0]


def objection(module: str, imported: Import) -> str:
    """Why the module must not import that; empty when it may."""
    if not any(is_in(imported.name, package) for package in PACKAGES):
        return ""
    if apart := _kept_apart(module, imported.name):
        return apart
    app, target = app_of(module), app_of(imported.name)
    if app == COMPOSITION:
        return ""
    if app == target:
        return _inner_objection(module, imported)
    if target == COMPOSITION:
        return "nobody imports the composition"
    if target not in ARROWS[app]:
        return f"{app} may not know {target}"
    return "" if _is_shown(imported) else f"of {target} only services, selectors and data are for others"


def _kept_apart(module: str, name: str) -> str:
    for island in ISLANDS:
        if is_in(module, island) != is_in(name, island):
            return f"{island} shares no code with the rest"
    for one, other in STRANGERS:
        if (is_in(module, one) and is_in(name, other)) or (is_in(module, other) and is_in(name, one)):
            return f"{one} and {other} never import each other"
    return ""


def _is_shown(imported: Import) -> bool:
    if app_of(imported.name) == "callcenter.lib" or imported.is_for_types:
        return True
    return room_of(imported.name) in DOORS or any(is_in(imported.name, module) for module in OPEN_MODULES)


def _inner_objection(module: str, imported: Import) -> str:
    here, there = room_of(module), room_of(imported.name)
    if imported.is_for_types or app_of(module) == "callcenter.lib" or here not in RANK or there not in RANK:
        return ""
    return f"{here} may not reach up to {there}" if RANK[here] < RANK[there] else ""


def our_modules() -> Iterator[tuple[str, Path]]:
    """Name and file of every module of ours but tests and migrations."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not {"tests", "migrations"} & set(parts):
                yield ".".join(parts).removesuffix(".__init__"), path


def test_no_import_runs_the_wrong_way() -> None:
    wrong = [
        f"{module} imports {imported.name}: {why}"
        for module, path in our_modules()
        for imported in imports_in(path.read_text(encoding="utf-8"))
        if (why := objection(module, imported))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_has_a_place_in_its_app() -> None:
    apps = [app for app in ARROWS if app != "callcenter.lib"]
    homeless = [
        module
        for module, _path in our_modules()
        if app_of(module) in apps
        and module not in apps
        and room_of(module) not in RANK
        and not any(is_in(module, island) for island in ISLANDS)
    ]
    assert not homeless, f"add them to LAYERS: {homeless}"


def test_every_exception_is_still_needed() -> None:
    used = {
        door
        for module, path in our_modules()
        for imported in imports_in(path.read_text(encoding="utf-8"))
        for door in OPEN_MODULES
        if is_in(imported.name, door) and app_of(module) not in {app_of(door), COMPOSITION}
    }
    assert set(OPEN_MODULES) - used == set()


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("callcenter.lib.phones", "from requests_app.states import Outcome"),
        ("callcenter.lib.phones", "import callcenter.accounts.models"),
        ("callcenter.accounts.services", "from requests_app.services import intake"),
        ("requests_app.services.calls", "from telephony.models import CallAttempt"),
        ("requests_app.services.calls", "if TYPE_CHECKING:\n    from telephony.models import CallAttempt"),
        ("requests_app.models", "import telephony"),
        ("helpdesk.services", "from requests_app.services import intake"),
        ("requests_app.services.intake", "from helpdesk.services import chats"),
        ("telephony.services.dialing", "from requests_app.models import CallRequest"),
        ("telephony.services.dialing", "def f():\n    from requests_app.models import CallRequest"),
        ("telephony.services.dialing", "from requests_app.admin.forms import X"),
        ("telephony.tasks", "from callcenter.celery import app"),
        ("telephony.services.dialing", "from callcenter.health import readyz"),
        ("telephony.services.dialing", "from telephony.tasks import place_calls"),
        ("telephony.selectors", "from telephony.services import policy"),
        ("telephony.models.lines", "from telephony import selectors"),
        ("telephony.states", "from telephony.models import CallAttempt"),
        ("requests_app.dialects.cscart.views", "from requests_app.dialects.venddor import wire"),
        ("telephony.providers.digitro.client", "from telephony.providers.directcall import wire"),
        ("telephony.simulators.digitro", "from telephony.providers.digitro import wire"),
        ("telephony.services.dialing", "from telephony.simulators import fates"),
    ],
)
def test_the_wrong_way_is_noticed(module: str, line: str) -> None:
    (imported,) = imports_in(line)
    assert objection(module, imported)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("callcenter.urls", "from telephony.webhooks import directcall"),
        ("telephony.services.dialing", "from requests_app.services import calls"),
        ("telephony.services.dialing", "from requests_app import selectors"),
        ("telephony.states", "from requests_app.states import Outcome"),
        ("telephony.selectors", "if TYPE_CHECKING:\n    from requests_app.models import CallRequest"),
        ("telephony.webhooks", "from telephony.services import events"),
        ("requests_app.services.intake", "from callcenter.accounts.models import Company"),
        ("requests_app.dialects.cscart.views", "from requests_app.dialects import auth"),
        ("telephony.services.dialing", "import threading"),
    ],
)
def test_the_right_way_is_left_alone(module: str, line: str) -> None:
    (imported,) = imports_in(line)
    assert not objection(module, imported)
