"""Writing every encrypted column anew with the first of `FIELD_ENCRYPTION_KEYS`, so that old keys can be dropped.

The columns are found by their type, in every model that is installed: a new one needs no entry anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Cast

from callcenter.lib.secrets import EncryptedTextField, SecretUnreadable, is_current, renewed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCH: Final = 500


@dataclass
class Rotation:
    """What was found in one column: how many values are of the first key, of an older one, and of none.

    `unreadable` = the primary keys of the rows whose value no configured key opens; they are left as they are.
    """

    model: type[models.Model]
    column: str
    current: int = 0
    older: int = 0
    unreadable: list[object] = field(default_factory=list)

    @property
    def name(self) -> str:
        """`app.Model.column`."""
        return f"{self.model._meta.label}.{self.column}"


def encrypted_columns() -> list[tuple[type[models.Model], str]]:
    """Every encrypted column of every installed model, in the order of their names."""
    found = [
        (model, each.attname)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for each in model._meta.local_concrete_fields
        if isinstance(each, EncryptedTextField)
    ]
    return sorted(found, key=lambda pair: (pair[0]._meta.label, pair[1]))


def rotate(*, check_only: bool, after_batch: Callable[[], None] = lambda: None) -> list[Rotation]:
    """What each column holds, its older values written anew unless only asked to check.

    Works in batches, each value by compare-and-set: programs may read and write meanwhile, and an interrupted run is
    continued by the next one. `after_batch` is called after each.

    *Effects*: one UPDATE for each value of an older key. *Safe to repeat?* Yes, and for several to run at once.
    """
    return [_rotate_column(model, column, check_only, after_batch) for model, column in encrypted_columns()]


def _rotate_column(
    model: type[models.Model], column: str, check_only: bool, after_batch: Callable[[], None]
) -> Rotation:
    rotation = Rotation(model, column)
    for batch in _batches(model, column):
        for pk, stored in batch:
            if is_current(stored):
                rotation.current += 1
                continue
            try:
                anew = renewed(stored)
            except SecretUnreadable:
                rotation.unreadable.append(pk)
                continue
            rotation.older += 1
            if not check_only:
                _replace(model, column, pk, stored=stored, anew=anew)
        after_batch()
    return rotation


def _batches(model: type[models.Model], column: str) -> Iterator[list[tuple[object, str]]]:
    """Primary key and stored text of each row that has one, as they are in the database, in the order of the keys."""
    rows = _with_stored(model, column).exclude(stored="").exclude(stored=None).order_by("pk")
    last: object = None
    while True:
        rest = rows if last is None else rows.filter(pk__gt=last)
        batch = list(rest.values_list("pk", "stored")[:BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1][0]


def _replace(model: type[models.Model], column: str, pk: object, *, stored: str, anew: str) -> None:
    # Expressions, because the field itself would encrypt what it is given.
    row = _with_stored(model, column).filter(pk=pk, stored=stored)
    row.update(**{column: Value(anew, output_field=models.TextField())})


def _with_stored(model: type[models.Model], column: str) -> models.QuerySet[models.Model]:
    return model._base_manager.annotate(stored=Cast(F(column), models.TextField()))
