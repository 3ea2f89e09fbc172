"""The filters of CS-Cart's list: the documented ones and two that the real one has besides."""

from __future__ import annotations

import django_filters  # type: ignore[import-untyped]

from requests_app.dialects.filters import CallRequestFilter


class CsCartFilter(CallRequestFilter):
    """`id` and `order_email` are in no manual, but shops' links to one request use them."""

    id = django_filters.CharFilter(method="by_id")
    order_email = django_filters.CharFilter(method="by_order_email", max_length=254)
