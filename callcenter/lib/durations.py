"""How long something lasted, as the databases work it out."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, IntegerField


class SecondsBetween(Func):
    """The whole seconds from one instant to another, both columns; null where one of them is."""

    output_field = IntegerField()

    def __init__(self, since: str, until: str) -> None:
        super().__init__(until, since)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The difference is an interval."""
        template = "floor(extract(epoch FROM (%(expressions)s)))::integer"
        return super().as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Django's own function gives microseconds."""
        template = "(django_timestamp_diff(%(expressions)s) / 1000000)"
        return super().as_sql(compiler, connection, template=template, **context)
