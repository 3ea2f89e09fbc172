"""The bodies of the CS-Cart dialect: what is accepted, and the shapes that OpenAPI shows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from rest_framework import serializers

from requests_app.dialects.fields import Text, WholeNumber, Word
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_UINT32: Final = 2**32 - 1
_LONGEST_CART: Final = 100_000
_DEEPEST_CART: Final = 10


class CartProducts(serializers.JSONField):
    """The customer's cart: a list or map of objects with a `product_id`; anything else counts as an empty cart."""

    def to_internal_value(self, data: Any) -> Any:
        """The cart as it came.

        Errors: `ValidationError` when it is too long, too deep or has characters that can't be stored.
        """
        if not isinstance(data, (list, dict)):
            return None
        if _is_deeper(data, _DEEPEST_CART):
            raise serializers.ValidationError(_("No máximo %(levels)s níveis.") % {"levels": _DEEPEST_CART})
        if len(json.dumps(data)) > _LONGEST_CART:
            raise serializers.ValidationError(_("No máximo %(longest)s caracteres.") % {"longest": _LONGEST_CART})
        if any(_UNSTORABLE.search(text) for text in _texts(data)):
            raise serializers.ValidationError(_("O texto contém um caractere que não pode ser guardado."))
        return data


class _EmptyAsInPhp(serializers.Field):  # type: ignore[type-arg]
    """Takes `false`, `[]` and `{}`, which PHP takes for empty, for none."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The value, or none of its kind."""
        return super().run_validation(data or "")


class Contact(_EmptyAsInPhp, Text):
    """A phone or an e-mail address."""


class Number(_EmptyAsInPhp, WholeNumber):
    """A whole number."""


class CsCartCallRequestInput(serializers.Serializer[Any]):
    """What POST and PUT take; unknown fields are ignored. POST needs `phone` or `email`."""

    email = Contact(254)
    phone = Contact(128)
    name = Text(250)
    status = Word(Status.values, allow_null=True)
    user_id = Number(help_text="The responsible; one who is no attendant of the company is dropped.")
    order_id = Number()
    product_id = Number()
    timestamp = Number(_UINT32, help_text="Unix seconds; absent, empty or 0 = now.")
    time_from = Text(32)
    time_to = Text(32)
    notes = Text(100_000, keep_null=True)
    cart_products = CartProducts(required=False, allow_null=True)
    company_id = WholeNumber(help_text="Only for keys that serve several companies; PUT ignores it.")


class CsCartCallRequestId(serializers.Serializer[Any]):
    """What POST and PUT answer."""

    request_id = serializers.CharField()


class CsCartCallRequestItem(serializers.Serializer[Any]):
    """One request."""

    request_id = serializers.CharField()
    company_id = serializers.CharField()
    order_id = serializers.CharField()
    user_id = serializers.CharField()
    product_id = serializers.CharField()
    timestamp = serializers.CharField(help_text="Unix seconds.")
    status = serializers.ChoiceField(Status.values)
    name = serializers.CharField()
    phone = serializers.CharField()
    time_from = serializers.CharField()
    time_to = serializers.CharField()
    notes = serializers.CharField(allow_null=True)
    cart_products = serializers.JSONField(help_text='"" when there is none, else a list or map of objects.')
    order_status = serializers.CharField(allow_null=True)
    product = serializers.CharField(allow_null=True)


class CsCartListParams(serializers.Serializer[Any]):
    """How the page was cut, and the other query parameters as they came."""

    items_per_page = serializers.CharField()
    page = serializers.IntegerField(required=False, help_text="Absent in a walk by cursor.")
    sort_order = serializers.ChoiceField(["asc", "desc"])
    sort_by = serializers.CharField()
    sort_order_rev = serializers.ChoiceField(["asc", "desc"])
    total_items = serializers.CharField(required=False, help_text="Absent when all rows are asked for, and in a walk.")
    total_is_estimate = serializers.ChoiceField(["Y"], required=False, help_text="Only where it is an estimate.")
    next_cursor = serializers.CharField(
        required=False, allow_null=True, help_text="Only in a walk by cursor; null = the end."
    )


class CsCartCallRequestList(serializers.Serializer[Any]):
    """One page of requests."""

    call_requests = CsCartCallRequestItem(many=True)
    params = CsCartListParams()


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and maps are nested more than so many levels; looks no deeper than that."""
    if not isinstance(value, (list, dict)):
        return False
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in _parts(value))


def _texts(value: Any) -> Iterator[str]:
    """Every text in the value, keys included."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        yield from value
    for part in _parts(value):
        yield from _texts(part)
