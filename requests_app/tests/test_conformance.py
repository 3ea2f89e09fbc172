"""The conformance matrices of docs/dialects and the tests are in step: each row has tests, each test has a row."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from callcenter.tests.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECTS: Final = {"cscart": "CS", "venddor": "VD", "tempbox": "TB"}
# Where the tests of each stand.
FOLDERS: Final = {
    "cscart": "requests_app/tests/cscart/",
    "venddor": "requests_app/tests/venddor/",
    "tempbox": "helpdesk/tests/tempbox/",
}
# Words by which a row says where its behaviour is documented.
SOURCES: Final = re.compile(r"\[(S|E|R|R-old|R-new|I|V)\]|\bopen\b|^–$")


class Row(NamedTuple):
    """One behaviour of a dialect, as its matrix tells it."""

    name: str
    source: str
    here: str
    tests: tuple[str, ...]


@cache
def matrix(dialect: str) -> tuple[Row, ...]:
    """The rows of one dialect's tables."""
    text = (ROOT / "docs" / "dialects" / f"{dialect}.md").read_text(encoding="utf-8")
    lines = re.findall(rf"^\| ({DIALECTS[dialect]}-[\w-]+) \| .+? \| (.+?) \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    return tuple(Row(name, source, here, tuple(re.findall(r"`(.+?)`", tests))) for name, source, here, tests in lines)


def marked_in(source: str) -> Iterator[tuple[str, set[str]]]:
    """Every test function of a module, with the rows that its marks name."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = [mark for mark in node.decorator_list if isinstance(mark, ast.Call)]
            rows = [mark.args for mark in marks if ast.unparse(mark.func) == "pytest.mark.conforms"]
            yield node.name, {ast.literal_eval(row) for mark in rows for row in mark}


@cache
def marked() -> dict[str, set[str]]:
    """Path and name of every test of the APIs and of what is common to all, with the rows that it shows."""
    paths = [
        *(ROOT / "requests_app" / "tests").rglob("test_*.py"),
        *(ROOT / "helpdesk" / "tests").rglob("test_*.py"),
        *(ROOT / "callcenter" / "tests").glob("test_*.py"),
    ]
    return {
        f"{path.relative_to(ROOT)}::{name}": rows
        for path in paths
        for name, rows in marked_in(path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_line_of_a_matrix_is_a_row_with_a_name_of_its_own(dialect: str) -> None:
    text = (ROOT / "docs" / "dialects" / f"{dialect}.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Row |")]

    names = Counter(row.name for row in matrix(dialect))
    assert len(lines) == names.total() > 40
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_row_names_tests_that_name_it(dialect: str) -> None:
    for row in matrix(dialect):
        assert row.tests, row.name
        for test in row.tests:
            assert test in marked(), f"{row.name}: there is no {test}"
            assert row.name in marked()[test], f"{test} does not say that it shows {row.name}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_test_of_a_dialect_shows_a_row(dialect: str) -> None:
    assert [test for test, rows in marked().items() if test.startswith(FOLDERS[dialect]) and not rows] == []


def test_every_row_that_a_test_names_exists() -> None:
    known = {row.name for dialect in DIALECTS for row in matrix(dialect)}

    assert {row: test for test, rows in marked().items() for row in rows if row not in known} == {}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_row_says_where_it_is_documented_and_a_difference_says_why(dialect: str) -> None:
    for row in matrix(dialect):
        assert SOURCES.search(row.source), f"{row.name}: {row.source}"
        _same, is_different, why = row.here.partition("≠")
        assert not is_different or len(why) > 20, row.name


def test_marks_are_read_as_pytest_reads_them(request: pytest.FixtureRequest) -> None:
    source = '@pytest.mark.conforms("CS-a", "CS-b")\n@pytest.mark.slow\ndef test_x(): ...\n\n\ndef test_y(): ...\n'

    assert dict(marked_in(source)) == {"test_x": {"CS-a", "CS-b"}, "test_y": set()}
    assert any(line.startswith("conforms(") for line in request.config.getini("markers"))
