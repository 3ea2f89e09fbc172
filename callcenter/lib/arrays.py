"""Arrays as PostgreSQL reads them, written for many values at once. Knows nothing of Django."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What the PostgreSQL driver takes as it is.
PLAIN: Final = frozenset({int, str, bool, datetime, uuid.UUID, type(None)})

_AS_ELEMENT: Final[dict[type, Callable[[Any], str]]] = {
    int: str,
    bool: str,
    # With its offset.
    datetime: lambda value: f'"{value.isoformat()}"',
    uuid.UUID: lambda value: f"{value.int:032x}",
}


def array_of(values: Sequence[Any]) -> Any:
    """The array as PostgreSQL reads it, for what `PLAIN` holds: the driver takes microseconds to write each value."""
    kinds = {type(value) for value in values} - {type(None)}
    if all(issubclass(kind, str) for kind in kinds) and kinds:
        return _of_texts(values)
    write = _AS_ELEMENT.get(kinds.pop() if len(kinds) == 1 else int)
    if write is None or kinds:
        return list(values)
    return f"{{{','.join(['NULL' if value is None else write(value) for value in values])}}}"


def _of_texts(values: Sequence[str | None]) -> Any:
    if None in values:
        text = ",".join(["NULL" if value is None else f'"{value!s}"' for value in values])
        quotes = 2 * (len(values) - values.count(None))
    else:
        text = '"' + '","'.join(values) + '"'  # type: ignore[arg-type]
        quotes = 2 * len(values)
    # Whatever needs an escape is the driver's.
    if "\\" in text or text.count('"') != quotes:
        return [None if value is None else str(value) for value in values]
    return f"{{{text}}}"
