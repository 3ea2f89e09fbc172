"""The registry is the vendor's documentation: names, fields, types and order."""

from __future__ import annotations

import pytest

from helpdesk.tempbox import methods, registry, wire
from helpdesk.tests.tempbox.api import contract

assert methods


@pytest.mark.conforms("TB-methods")
def test_there_are_the_documented_methods_and_no_others() -> None:
    assert len(contract()) == 32
    assert set(registry.METHODS) == set(contract())


@pytest.mark.conforms("TB-methods", "TB-fields")
@pytest.mark.parametrize("name", contract())
def test_a_method_takes_and_gives_what_its_page_says(name: str) -> None:
    page, ours = contract()[name], registry.METHODS[name]
    assert page["http_method"] == "POST"
    assert page["path"] == f"/api/Atendimento/{name}"
    assert list(ours.query) == page["url_query"]
    if "Hash" in page["url_query"]:
        assert [field.name for field in ours.parameters] == ["Hash"]
    else:
        assert [(field.name, field.type) for field in ours.parameters] == [
            (field["name"], field["type"]) for field in page["request"]["json"]
        ]
    answer = page["response"]
    if answer is None:
        assert ours.answer is None
        return
    # The page lists one name twice; JSON has it once.
    documented = list(dict.fromkeys((field["name"], field["type"]) for field in answer))
    assert [(field.name, field.type) for field in ours.answer or ()] == documented


@pytest.mark.conforms("TB-types-in", "TB-types-out")
def test_every_type_of_the_contract_can_be_read_and_written() -> None:
    taken = {field["type"] for entry in contract().values() for field in entry["request"]["json"]}
    given = {field["type"] for entry in contract().values() for field in entry["response"] or ()}
    assert taken <= set(registry.IN)
    assert given <= set(wire.OUT)
