"""A column for JSON that must come back as it went in: PostgreSQL's jsonb sorts the keys of objects anew."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class JsonTextField(models.TextField):  # type: ignore[type-arg]
    """Any JSON value, stored as text, keys in the order they came in; null = no value. It is not searched in."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        """The value of the stored text."""
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        """The text that is stored."""
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def to_python(self, value: Any) -> Any:
        """The value itself: only the database holds a text."""
        return value

    def value_to_string(self, obj: models.Model) -> Any:
        """The value, for a dump."""
        return self.value_from_object(obj)
