"""The names of products, as the mirror has them: a request's own and those in its cart, in the language asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.db.models import CharField, F, OuterRef, Subquery, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from callcenter.lib.database import is_postgresql
from requests_app.models import Product

if TYPE_CHECKING:
    from collections.abc import Mapping

_LANGUAGE: Final = re.compile("[a-z]{2}")
_PRODUCT: Final = Product.objects.filter(company_id=OuterRef("company_id"), number=OuterRef("product_number"))

# By whether on PostgreSQL, where a cart is a text in which numbers are looked for that may be products (too many do no
# harm).
_CART_NAMES: Final = {
    True: """CASE WHEN {row}.cart_products IS NOT NULL THEN (
        SELECT CAST(json_object_agg(p.number, {name}) AS text) FROM requests_app_product p
        WHERE p.company_id = {row}.company_id AND p.number IN (
            SELECT CAST(numbers[1] AS bigint)
            FROM regexp_matches({row}.cart_products, '"product_id": ?"?([0-9]{{1,18}})', 'g') AS numbers)) END""",
    False: """CASE WHEN {row}.cart_products IS NOT NULL THEN (
        SELECT json_group_object(p.number, {name}) FROM requests_app_product p
        WHERE p.company_id = {row}.company_id AND p.number IN (
            SELECT CAST(json_extract(entry.value, '$.product_id') AS INTEGER)
            FROM json_each({row}.cart_products) AS entry WHERE entry.type = 'object')) END""",
}


def language_asked(query: Mapping[str, str]) -> str:
    """The two letters of `lang_code`; empty for the shop's own language, and for what is no language."""
    code = query.get("lang_code", "").strip().lower()
    return code if _LANGUAGE.fullmatch(code) else ""


def product_name(language: str) -> Subquery:
    """The name of the request's product; null without one."""
    named = NullIf(KeyTextTransform(language, "names"), Value(""))
    shown = Coalesce(named, "name", output_field=CharField()) if language else F("name")
    return Subquery(_PRODUCT.values_list(shown)[:1], output_field=CharField())


def cart_names(language: str) -> RawSQL:
    """The names of the products in the request's cart; only where the requests' table has its own name."""
    return RawSQL(cart_names_sql("requests_app_callrequest", language), (), output_field=TextField())


def product_name_sql(row: str, language: str) -> str:
    """SQL for the name of the product of the request `row`; null without one."""
    return (
        f"(SELECT {_name(language)} FROM requests_app_product p"
        f" WHERE p.company_id = {row}.company_id AND p.number = {row}.product_number)"
    )


def cart_names_sql(row: str, language: str) -> str:
    """SQL for a JSON object with the names, by number, of the products in the cart of `row`; null without a cart."""
    return _CART_NAMES[is_postgresql()].format(row=row, name=_name(language))


def _name(language: str) -> str:
    """SQL for the name of the product `p`; where it has none in that language, the shop's own."""
    if not _LANGUAGE.fullmatch(language):
        return "p.name"
    named = f"p.names->>'{language}'" if is_postgresql() else f"json_extract(p.names, '$.{language}')"
    return f"coalesce(nullif({named}, ''), p.name)"
