"""The baseline: the same API as one writes it from the books of Django REST framework, django-filter and the ORM.

The same table, indexes, columns, computed fields, ledger entry and authentication; no kept counts, no SQL by hand.
"""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters  # type: ignore[import-untyped]
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import include, path
from django.utils import timezone
from rest_framework import pagination, serializers, viewsets
from rest_framework.filters import OrderingFilter
from rest_framework.routers import SimpleRouter

from callcenter.lib.phones import InvalidPhone, brazilian_e164
from callcenter.urls import urlpatterns as product_urls
from requests_app.dialects.auth import ApiKeyAuthentication
from requests_app.models import CallRequest, LedgerEntry, Order, Product
from requests_app.schedule import first_due_at


class PlainSerializer(serializers.ModelSerializer[CallRequest]):
    """The columns of a CS-Cart item."""

    order_status = serializers.CharField(read_only=True, default=None)
    product = serializers.CharField(read_only=True, default=None)

    class Meta:
        model = CallRequest
        fields = (
            "id", "company", "order_number", "responsible", "product_number", "requested_at", "status", "name", "phone",
            "email", "time_from", "time_to", "notes", "cart_products", "order_status", "product",
        )  # fmt: skip
        extra_kwargs: ClassVar = {"email": {"write_only": True}}


class PlainFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """The documented filters."""

    name = django_filters.CharFilter(lookup_expr="icontains")
    phone = django_filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = CallRequest
        fields = ("status", "company", "responsible")


class PlainPagination(pagination.PageNumberPagination):
    """Pages by number, of the size asked for."""

    page_size = 10
    page_size_query_param = "items_per_page"
    max_page_size = 10_000


class PlainViewSet(viewsets.ModelViewSet[CallRequest]):
    """List, item, create, update, delete."""

    authentication_classes = (ApiKeyAuthentication,)
    serializer_class = PlainSerializer
    pagination_class = PlainPagination
    filterset_class = PlainFilter
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend, OrderingFilter)
    ordering_fields = ("requested_at", "id", "status", "name", "phone")
    ordering = ("-requested_at", "-id")

    def get_queryset(self) -> QuerySet[CallRequest]:
        """The caller's requests, with what the mirrors say."""
        mirrored: dict[str, Any] = {"company": OuterRef("company"), "number": OuterRef("order_number")}
        rows = CallRequest.objects.annotate(order_status=Subquery(Order.objects.filter(**mirrored).values("status")))
        mirrored["number"] = OuterRef("product_number")
        rows = rows.annotate(product=Subquery(Product.objects.filter(**mirrored).values("name")))
        scope = self.request.user.company_scope  # type: ignore[union-attr]
        return rows if scope is None else rows.filter(company__in=scope)

    def perform_create(self, serializer: Any) -> None:
        """The request with its number, its next call and its ledger entry."""
        now, body = timezone.now(), serializer.validated_data
        try:
            phone_e164 = brazilian_e164(body.get("phone", ""))
        except InvalidPhone:
            phone_e164 = ""
        due_at, hold_reason = first_due_at(
            now=now,
            wanted_at=None,
            time_from=body.get("time_from", ""),
            time_to=body.get("time_to", ""),
            zone=body["company"].zone,
        )
        with transaction.atomic():
            made = serializer.save(phone_e164=phone_e164, due_at=due_at, hold_reason=hold_reason, source="cscart")
            LedgerEntry.objects.create(
                call_request=made,
                company=made.company,
                at=now,
                kind=LedgerEntry.Kind.CREATED,
                source="cscart",
                actor=self.request.user,  # type: ignore[misc]
                to_status=made.status,
            )


_router = SimpleRouter(trailing_slash=False)
_router.register("call_requests", PlainViewSet, basename="plain")
urlpatterns = [path("plain/", include(_router.urls)), *product_urls]
