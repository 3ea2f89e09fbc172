"""The mounts at a host of `VENDDOR_HOSTS`: below /api it speaks Venddor's dialect."""

from __future__ import annotations

from django.urls import include, path

from callcenter.urls import everywhere, handler400, handler403, handler404, handler500, venddor

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*everywhere, path("", include("requests_app.dialects.venddor.urls")), *venddor]
