"""The admin of the mirrors of the shop's orders and products."""

from __future__ import annotations

from django.contrib import admin

from callcenter.lib.admin import CompanyScopedAdmin
from requests_app.models import Order, Product


@admin.register(Order)
class OrderAdmin(CompanyScopedAdmin):
    """The shop's orders, as far as the API's filters need them."""

    list_display = ("number", "company", "status", "email")
    list_filter = ("company", "status")
    list_select_related = ("company",)
    search_fields = ("=number", "email")
    fixed_fields = ("company",)


@admin.register(Product)
class ProductAdmin(CompanyScopedAdmin):
    """The shop's products: the names behind the numbers."""

    list_display = ("number", "company", "name")
    list_filter = ("company",)
    list_select_related = ("company",)
    search_fields = ("=number", "name")
    fixed_fields = ("company",)
