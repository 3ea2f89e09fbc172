"""`change_rows` changes the rows that are as expected, and no others, each with its own values."""

from __future__ import annotations

from typing import Any

import pytest

from callcenter.accounts.models import Company
from callcenter.lib.batches import change_rows

pytestmark = pytest.mark.django_db


def stored(columns: tuple[str, ...] = ("name", "time_zone", "is_active")) -> list[Any]:
    """What every company's columns hold, in the order of their ids."""
    return list(Company.objects.order_by("pk").values_list(*columns))


def test_each_row_gets_its_own_values_and_what_all_get() -> None:
    names = ['A "loja"', "Barra \\ {x}", "O'Neill, São João", ""]
    ids = [Company.objects.create(name=f"{n}").pk for n in range(4)]
    changed = change_rows(
        Company, ids[::-1], expected={"is_active": True}, changes={"time_zone": "UTC"}, each={"name": names}
    )
    assert changed == 4
    assert stored() == [(name, "UTC", True) for name in reversed(names)]


def test_a_row_that_is_otherwise_stays_as_it_is() -> None:
    first, second, third = (Company.objects.create(name=f"{n}", is_active=n != 1) for n in range(3))
    ids = [first.pk, second.pk, 0]
    assert change_rows(Company, ids, expected={"is_active": True}, changes={"name": "changed"}) == 1
    assert stored(("name",)) == [("changed",), ("1",), ("2",)]
    assert change_rows(Company, [], expected={}, changes={"name": "none"}) == 0
    assert change_rows(Company, [third.pk], expected={}, changes={"name": "any"}) == 1
