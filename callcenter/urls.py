"""Every mount of the product on one screen; `urls_cscart` and its like are those of a host of one dialect."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from callcenter.health import healthz, readyz
from requests_app.dialects.cscart.views import by_parameter
from requests_app.dialects.cscart.views import unknown as unknown_to_cscart
from requests_app.dialects.venddor.views import unknown as unknown_to_venddor

to_panel = RedirectView.as_view(pattern_name="admin:index")

everywhere = [
    path("", to_panel),
    path("admin", to_panel),
    path("admin/", admin.site.urls),
    path("webhooks/", include("telephony.urls")),
    path("chat/", include("helpdesk.chat.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="api-docs"),
]
# CS-Cart answers for everything else below /api/: keep it after the other mounts there.
cscart = [
    path("api/", include("requests_app.dialects.cscart.urls")),
    path("api.php", by_parameter),
    # Other ways to write the mount name nothing there; who has no key is not told.
    re_path(r"^/*api(?:\.php)?(?:/.*)?$", unknown_to_cscart),
]
venddor = [
    path("venddor/", include("requests_app.dialects.venddor.urls")),
    re_path(r"^/*venddor(?:/.*)?$", unknown_to_venddor),
]

tempbox = [path("api/", include("helpdesk.urls"))]

urlpatterns = [*everywhere, *tempbox, *cscart, *venddor]

handler400 = "callcenter.error_pages.bad_request"
handler403 = "callcenter.error_pages.permission_denied"
handler404 = "callcenter.error_pages.page_not_found"
handler500 = "callcenter.error_pages.server_error"
