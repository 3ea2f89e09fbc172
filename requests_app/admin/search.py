"""What a person means by the text in the search box: a request's number, a phone number, or words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Q, Value
from django.db.models.functions import Replace

if TYPE_CHECKING:
    from django.db.models import QuerySet

_PUNCTUATION: Final = " ()-.+/"
_NUMBERLIKE: Final = re.compile(rf"[\d{re.escape(_PUNCTUATION)}]*\d[\d{re.escape(_PUNCTUATION)}]*")
_REFERENCE: Final = re.compile(r"#\s*(\d{1,18})")


def referenced_id(text: str) -> int | None:
    """The id that `#123` names; None for any other text."""
    found = _REFERENCE.fullmatch(text.strip())
    return int(found[1]) if found else None


def digits_of(text: str) -> str:
    """The digits of something that is written like a number; empty when there is anything else in it."""
    return re.sub(r"\D", "", text) if _NUMBERLIKE.fullmatch(text.strip()) else ""


def by_number(rows: QuerySet[Any], digits: str) -> QuerySet[Any]:
    """The requests whose phone, as dialed or as typed, holds these digits, or whose id they are."""
    typed: Any = F("phone")
    for character in _PUNCTUATION:
        typed = Replace(typed, Value(character))
    condition = Q(typed_digits__contains=digits) | Q(phone_e164__contains=digits.removeprefix("0"))
    if len(digits) <= 18:
        condition |= Q(pk=int(digits))
    found: QuerySet[Any] = rows.annotate(typed_digits=typed).filter(condition)
    return found
