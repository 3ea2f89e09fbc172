"""The mounts at a host of `CSCART_HOSTS`: below /api it speaks CS-Cart's dialect, and no other elsewhere."""

from __future__ import annotations

from callcenter.urls import cscart, everywhere, handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*everywhere, *cscart]
