"""Serializer fields that the dialects' bodies share; each refusal says what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from requests_app.dialects.http import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_NUMBER: Final = 2**63 - 1
_YEARS: Final = range(2000, 2101)


class Text(serializers.CharField):
    """A text kept as it was typed; null counts as empty unless `keep_null`."""

    def __init__(self, max_length: int, *, keep_null: bool = False, **kwargs: Any) -> None:
        self.keep_null = keep_null
        super().__init__(
            max_length=max_length,
            **{"required": False, "allow_blank": True, "allow_null": True, "trim_whitespace": False, **kwargs},
        )

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """An absent text is left out, a null one is empty."""
        done, value = super().validate_empty_values(data)
        return done, "" if done and value is None and not self.keep_null else value


@extend_schema_field({"type": "integer", "minimum": 0})
class WholeNumber(serializers.Field):  # type: ignore[type-arg]
    """A number from 0 to `largest`, written as a number or as digits; null and "" count as 0."""

    def __init__(self, largest: int = LARGEST_NUMBER, **kwargs: Any) -> None:
        self.largest = largest
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """An absent number is left out, an empty one is 0."""
        return (True, 0) if data is None or data == "" else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> int:
        """The number.

        Errors: `ValidationError`.
        """
        digits = data.strip() if isinstance(data, str) else ""
        is_whole = (digits.isascii() and digits.isdigit() and len(digits) <= 20) or (
            isinstance(data, float) and data.is_integer()
        )
        number = int(data) if is_whole else data
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= self.largest:
            raise serializers.ValidationError(
                _("Use um número inteiro de 0 a %(largest)s.") % {"largest": self.largest}
            )
        return number

    def to_representation(self, value: int) -> int:
        """The number itself."""
        return value


class Word(serializers.ChoiceField):
    """One of a few words; the refusal lists them."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        words = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
        self.allowed = ", ".join(words)
        super().__init__(choices=words, **{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        """The word.

        Errors: `ValidationError`.
        """
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(_("Use um destes: %(allowed)s.") % {"allowed": self.allowed})
        return data


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(serializers.Field):  # type: ignore[type-arg]
    """An instant in ISO 8601 with its zone (`2025-04-17T14:30:00Z`), to the second; null = none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> datetime:
        """The instant in UTC.

        Errors: `ValidationError`; also without a zone, where a guess would call somebody at the wrong hour.
        """
        try:
            text = data.upper()
            at = datetime.fromisoformat(text)
            if at.tzinfo is not None and "T" in text and at.year in _YEARS:
                return at.astimezone(UTC).replace(microsecond=0)
        except (AttributeError, ValueError, OverflowError):
            pass
        raise serializers.ValidationError(
            _("Use data e hora ISO 8601 com fuso, de 2000 a 2100, como 2025-04-17T14:30:00Z.")
        )

    def to_representation(self, value: datetime) -> str:
        """The instant as it is written on the wire."""
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def checked(serializer: type[serializers.Serializer], body: Mapping[str, Any]) -> dict[str, Any]:  # type: ignore[type-arg]
    """The fields of a body that the serializer knows, as Python values.

    Errors: `Refused` 400 that names every field at fault and what is allowed.
    """
    try:
        return dict(_checker(serializer).run_validation(body))
    except serializers.ValidationError as error:
        problems: Any = error.detail
        raise Refused(400, *(f"{name}: {_first(problem)}" for name, problem in problems.items())) from error


@cache
def _checker(serializer: type[serializers.Serializer]) -> serializers.Serializer:  # type: ignore[type-arg]
    """One for all requests: it keeps nothing of what it checks, and copying all of its fields takes longer."""
    return serializer()


def _first(problem: Any) -> str:
    while isinstance(problem, (list, dict)):
        problem = next(iter(problem.values() if isinstance(problem, dict) else problem))
    return str(problem)
