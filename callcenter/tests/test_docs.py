"""The documents keep their word: what they link to, name or draw exists in the code as they say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from django.apps import apps

from callcenter.tests.environment import ROOT, documented_variables
from requests_app.states import Hold, Outcome, Status
from telephony.states import MOVES, AttemptState, LineHold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLDERS: Final = ("callcenter", "requests_app", "telephony", "helpdesk", "templates", "docs", "bin", ".ci", "bench")

_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_FENCE: Final = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_ARROW: Final = re.compile(r"^\s*(\[\*\]|\w+) --> (\[\*\]|\w+)", re.MULTILINE)
_VARIABLE: Final = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
# The PABX's word, and a placeholder.
_NOT_VARIABLES: Final = {"ID_CHAMADA", "NAME_FILE"}


def _text(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links(document: Path) -> Iterator[str]:
    links = _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8")))
    return (link for link in links if not link.startswith(("http://", "https://", "mailto:")))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in _links(document):
        path, _hash, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_and_test_that_is_named_exists(document: Path) -> None:
    for name in _CODE.findall(_FENCE.sub("", document.read_text(encoding="utf-8"))):
        path, _colons, test = name.partition("::")
        if not re.fullmatch(r"[\w.\-/]+", path) or path.split("/")[0] not in FOLDERS or "/" not in path:
            continue
        assert (ROOT / path).exists(), name
        assert not test or re.search(rf"^def {test}\(", _text(path), re.MULTILINE), name


@pytest.mark.parametrize("document", ["README.md", "docs/operations.md"])
def test_every_variable_that_is_named_is_in_the_example(document: str) -> None:
    named = {name for code in _CODE.findall(_text(document)) for name in _VARIABLE.findall(code)}
    assert named <= set(documented_variables()) | _NOT_VARIABLES


def test_every_variable_of_the_readmes_table_is_in_the_example() -> None:
    table = _text("README.md").partition("## Configuration")[2].partition("## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in _CODE.findall(row)}
    assert named
    assert named <= set(documented_variables())


def test_the_diagram_of_an_attempt_is_the_table_of_moves() -> None:
    diagram = _text("docs/architecture.md").partition("### States of an attempt")[2].partition("## ")[0]
    drawn = set(_ARROW.findall(diagram))
    moves = {(str(source), str(target)) for source, targets in MOVES.items() for target in targets}
    ends = {(str(state), "[*]") for state, targets in MOVES.items() if not targets}
    assert drawn == moves | ends | {("[*]", str(AttemptState.CLAIMED))}


def test_the_diagram_of_a_request_knows_all_statuses() -> None:
    diagram = _text("docs/architecture.md").partition("### States of a request")[2].partition("### ")[0]
    assert {name for arrow in _ARROW.findall(diagram) for name in arrow} - {"[*]"} == set(Status.values)


def test_every_constraint_that_is_named_exists() -> None:
    named = set(re.findall(r"constraints? ((?:`\w+`(?:, )?)+)", _text("docs/architecture.md")))
    existing = {constraint.name for model in apps.get_models() for constraint in model._meta.constraints}
    names = {name for group in named for name in _CODE.findall(group)}
    assert names
    assert names <= existing


def test_operations_explains_every_reason_for_not_dialing() -> None:
    explained = set(_CODE.findall(_text("docs/operations.md")))
    assert {reason.value for reason in (*Hold, *LineHold) if reason.value} <= explained


def test_the_glossary_has_every_state_and_outcome() -> None:
    words = set(_CODE.findall(_text("docs/glossary.md")))
    assert set(Outcome.values) <= words
    assert {f"AttemptState.{state.name}" for state in AttemptState} <= words


def test_decisions_are_numbered_without_a_gap_and_short() -> None:
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        lines = record.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 40, record.name
        assert lines[0].startswith(f"# {int(record.name[:4])}. "), record.name
