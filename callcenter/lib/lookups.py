"""Lookups that the ORM has none for."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Field, ForeignKey, Lookup

from callcenter.lib.arrays import array_of


@ForeignKey.register_lookup
@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any_of=ids`: as `pk__in`, with one parameter however many values; hundreds of placeholders cost more."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[Any]:
        """The values as the field takes them."""
        return [self.lhs.output_field.get_prep_value(value) for value in self.rhs]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """An array."""
        column, params = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.rel_db_type(connection)
        return f"{column} = ANY(%s::{kind}[])", [*params, array_of(self.rhs)]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A list in JSON."""
        column, params = self.process_lhs(compiler, connection)
        field = self.lhs.output_field
        values = [field.get_db_prep_value(value, connection, prepared=True) for value in self.rhs]
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(values)]
