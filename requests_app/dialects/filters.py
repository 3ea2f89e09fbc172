"""The filters of a list of call requests, as the parameter table that both dialects print has them.

Source: "Параметры для фильтрации" of CS-Cart's call_requests page; what the page leaves open behaves as CS-Cart does:
an empty value (and 0, where 0 can't be meant) filters nothing, an unknown one finds nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import django_filters  # type: ignore[import-untyped]
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from callcenter.lib.database import contains_any_case, is_postgresql
from requests_app.dialects.http import Refused
from requests_app.models import CallRequest, Order
from requests_app.models.text_search import ids_with_text
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

Rows = QuerySet[CallRequest]

_LEADING_NUMBER: Final = re.compile(r"\s*([+-]?\d+)")
_TEXTS: Final = ("name", "phone")
_ASKED: Final = frozenset({"company_id", "status", "user_id", "order_status", "order_email", "order_exists", *_TEXTS})
_ZERO_IS_NONE: Final = frozenset({"company_id", "status", "user_id", "order_status", "order_email", "order_exists"})
# Beyond any id, page or size.
_HUGE: Final = 2**63 - 1


def leading_number(text: str) -> int:
    """The whole number that a text begins with, as PHP casts it: 0 for none, cut off where 64 bits end."""
    match = _LEADING_NUMBER.match(text)
    if match is None:
        return 0
    digits = match[1]
    if len(digits) > 18:
        return -_HUGE if digits[0] == "-" else _HUGE
    return int(digits)


@dataclass(frozen=True)
class Asked:
    """What a list asks for, as far as the kept counts and the quick queries know it; None = whatever it is.

    `responsible_id` 0 = nobody. `texts` are columns and what must be a part of them.
    """

    companies: frozenset[int] | None = None
    statuses: frozenset[str] | None = None
    responsible_id: int | None = None
    texts: tuple[tuple[str, str], ...] = ()
    order_status: str | None = None
    order_email: str | None = None
    has_order: bool | None = None

    @property
    def is_search(self) -> bool:
        """Whether it asks for more than is kept by number."""
        return bool(self.texts) or (self.order_status, self.order_email, self.has_order) != (None, None, None)

    @property
    def is_nothing(self) -> bool:
        """Whether no request can be meant."""
        return self.companies == frozenset() or self.statuses == frozenset()


class CallRequestFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """The documented filters; all that are given must hold."""

    status = django_filters.CharFilter(method="by_status")
    name = django_filters.CharFilter(method="by_text", max_length=250)
    phone = django_filters.CharFilter(method="by_text", max_length=128)
    company_id = django_filters.CharFilter(method="by_company")
    order_status = django_filters.CharFilter(method="by_order_status")
    user_id = django_filters.CharFilter(method="by_responsible")
    order_exists = django_filters.CharFilter(method="by_order_exists")

    class Meta:
        model = CallRequest
        fields = ()

    def __init__(self, data: Mapping[str, str], queryset: Rows, *, company_scope: frozenset[int] | None) -> None:
        super().__init__(data, queryset)
        self.company_scope = company_scope

    @classmethod
    def statuses_meant(cls, value: str) -> frozenset[str]:
        """The status of that name, in whatever case it is written; none for an unknown one."""
        return frozenset({value.lower()} & set(Status.values))

    def by_status(self, rows: Rows, name: str, value: str) -> Rows:
        """Those in that status."""
        if value == "0":
            return rows
        statuses = self.statuses_meant(value)
        return rows.filter(status__in=statuses) if statuses else rows.none()

    def by_text(self, rows: Rows, name: str, value: str) -> Rows:
        """Those whose name or phone, as it was typed, has the value in it; `%` and `_` mean themselves."""
        if is_postgresql():
            return rows.filter(pk__in=RawSQL(*ids_with_text(name, value)))
        return rows.filter(contains_any_case(name, value))

    def by_company(self, rows: Rows, name: str, value: str) -> Rows:
        """Those of that company; a caller bound to one company sees that one whatever is asked."""
        if value == "0" or (self.company_scope is not None and len(self.company_scope) == 1):
            return rows
        return rows.filter(company_id=leading_number(value))

    def by_responsible(self, rows: Rows, name: str, value: str) -> Rows:
        """Those of that responsible; a text that is no number finds those of nobody."""
        if value == "0":
            return rows
        return rows.filter(responsible_id=leading_number(value) or None)

    def by_order_status(self, rows: Rows, name: str, value: str) -> Rows:
        """Those whose order has that status."""
        return rows if value == "0" else rows.filter(_has_order(status=value))

    def by_order_exists(self, rows: Rows, name: str, value: str) -> Rows:
        """`Y`: those made with an order; anything else: those without. Only the number counts, as in CS-Cart."""
        if value == "0":
            return rows
        return rows.filter(order_number__gt=0) if value == "Y" else rows.filter(order_number=0)

    def by_order_email(self, rows: Rows, name: str, value: str) -> Rows:
        """Those whose order was placed with that e-mail address."""
        return rows if value == "0" else rows.filter(_has_order(email__iexact=value))

    def by_id(self, rows: Rows, name: str, value: str) -> Rows:
        """The one with that id."""
        return rows.filter(pk=leading_number(value))


def _has_order(**conditions: Any) -> Q:
    mirrored = Order.objects.filter(company_id=OuterRef("company_id"), number=OuterRef("order_number"), **conditions)
    return Q(order_number__gt=0) & Q(Exists(mirrored))


def filtered(
    kind: type[CallRequestFilter], rows: Rows, params: Mapping[str, str], *, company_scope: frozenset[int] | None
) -> Rows:
    """The rows that pass the filters among the query parameters.

    Errors: `Refused` 400 naming the parameter when a value is too long or has a NUL in it.
    """
    # Building a filter set costs more than the rest of a short list.
    if not kind.base_filters.keys() & params.keys():
        return rows
    filters = kind(params, rows, company_scope=company_scope)
    if not filters.is_valid():
        raise Refused(400, *(f"{name}: {' '.join(problems)}" for name, problems in filters.errors.items()))
    passed: Rows = filters.qs
    return passed


def asked_for(
    kind: type[CallRequestFilter], params: Mapping[str, str], *, company_scope: frozenset[int] | None
) -> Asked | None:
    """The same as a value; None when there are filters among the parameters that it can't hold, or that are refused."""
    given = {name: params[name].strip() for name in kind.base_filters if name in params}
    given = {name: value for name, value in given.items() if value and (value != "0" or name not in _ZERO_IS_NONE)}
    if not given.keys() <= _ASKED or any("\x00" in value for value in given.values()):
        return None
    texts = tuple((name, given[name]) for name in _TEXTS if name in given)
    limits = {name: kind.base_filters[name].extra.get("max_length") or len(value) for name, value in given.items()}
    if any(len(value) > limits[name] for name, value in given.items()):
        return None
    companies = company_scope
    if "company_id" in given and (company_scope is None or len(company_scope) != 1):
        company = frozenset({leading_number(given["company_id"])})
        companies = company if company_scope is None else company & company_scope
    return Asked(
        companies=companies,
        statuses=kind.statuses_meant(given["status"]) if "status" in given else None,
        responsible_id=leading_number(given["user_id"]) if "user_id" in given else None,
        texts=texts,
        order_status=given.get("order_status"),
        order_email=given.get("order_email"),
        has_order=given["order_exists"] == "Y" if "order_exists" in given else None,
    )
