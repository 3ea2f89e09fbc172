"""`any_of` finds what `in` finds, whatever characters the values have."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from callcenter.accounts.models import Company
from telephony.models import RuleBookStamp

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["Loja Aurora"],
        ["Loja Aurora", "Padaria, {São João}", "x y", ""],
        ['A "loja"', "Loja Aurora"],
        ["Barra \\ invertida", "O'Neill", "NULL"],
    ],
)
def test_texts_are_found_as_they_are(values: list[str]) -> None:
    for name in (*values, "Another", "A"):
        Company.objects.create(name=name)
    found = Company.objects.filter(name__any_of=values).values_list("name", flat=True)
    assert sorted(found) == sorted(values)


def test_ids_and_digests_are_found_as_they_are() -> None:
    companies = [Company.objects.create(name=f"{n}") for n in range(3)]
    ids = [companies[0].pk, companies[2].pk]
    assert set(Company.objects.filter(pk__any_of=[*ids, 0]).values_list("pk", flat=True)) == set(ids)
    tokens: list[Any] = [uuid.UUID(int=1), uuid.uuid4()]
    for token in (*tokens, uuid.uuid4()):
        RuleBookStamp.objects.create(token=token)
    found = RuleBookStamp.objects.filter(token__any_of=tokens).values_list("token", flat=True)
    assert set(found) == set(tokens)
