"""The 32 methods: what each takes and gives, in the contract's names, types and order, and who answers.

`contract.json` is the vendor's documentation as data; a test holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from helpdesk.tempbox import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from helpdesk.tempbox.calls import Call

    Row = dict[str, Any]
    Handler = Callable[[Call], "list[Row] | None"]

IN: Final[dict[str, Callable[[Any, str], Any]]] = {
    "varchar": wire.text_in,
    "nvarchar": wire.text_in,
    "text": wire.text_in,
    "int": wire.int_in,
    "bigint": wire.bigint_in,
    "bit": wire.bit_in,
    "uniqueidentifier": wire.guid_in,
    # Read by the call, which knows the company's clock.
    "smalldatetime": wire.text_in,
}


@dataclass(frozen=True)
class Field:
    """A name of the contract and its type; `is_required` is ours, the contract does not say it."""

    name: str
    type: str
    is_required: bool = False


@dataclass(frozen=True)
class Method:
    """One method. `answer` None = documented as null.

    `writes` = runs in one transaction: an error leaves nothing. Jobs make their own, one a record.
    """

    name: str
    query: tuple[str, ...]
    parameters: tuple[Field, ...]
    answer: tuple[Field, ...] | None
    handler: Handler
    writes: bool

    def present(self, row: Row, zone: ZoneInfo) -> Row:
        """The row as it travels: every field of the contract, in its order, of its type."""
        return {field.name: wire.OUT[field.type](row[field.name], zone) for field in self.answer or ()}


METHODS: Final[dict[str, Method]] = {}


def method(
    name: str, *, takes: str = "", gives: str | None = None, query: str = "token json", writes: bool = False
) -> Callable[[Handler], Handler]:
    """Register the function as the method of that name.

    Shape: `takes`, `gives` are `Name type` pairs separated by commas; a `!` after the name = required.
    """

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(
            name=name,
            query=tuple(query.split()),
            parameters=_fields(takes),
            answer=None if gives is None else _fields(gives),
            handler=handler,
            writes=writes,
        )
        return handler

    return register


def find(name: str) -> Method | None:
    """The method of that name, in whatever case it was typed."""
    return METHODS.get(name) or next((known for key, known in METHODS.items() if key.lower() == name.lower()), None)


def _fields(text: str) -> tuple[Field, ...]:
    pairs = (part.split() for part in text.split(",") if part.strip())
    return tuple(Field(name.rstrip("!"), kind, name.endswith("!")) for name, kind in pairs)
