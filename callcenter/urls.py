"""Every mount of the product on one screen."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from callcenter.health import healthz, readyz

urlpatterns = [
    path("admin/", admin.site.urls),
    path("webhooks/", include("telephony.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
]
