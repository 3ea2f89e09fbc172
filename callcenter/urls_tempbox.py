"""The mounts at a host of `TEMPBOX_HOSTS`: below /api it speaks TempBox's dialect, and no other elsewhere."""

from __future__ import annotations

from callcenter.urls import everywhere, handler400, handler403, handler404, handler500, tempbox

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*everywhere, *tempbox]
