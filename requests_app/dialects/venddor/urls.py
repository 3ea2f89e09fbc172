"""Where the Venddor dialect answers, below `/venddor/`; one trailing slash is ignored."""

from __future__ import annotations

from django.urls import path, re_path

from requests_app.dialects.venddor import views
from requests_app.dialects.venddor.auth import AuthView

_list = views.CallRequestListView.as_view()
_item = views.CallRequestView.as_view()

urlpatterns = [
    path("api/2.0/call_requests", _list),
    path("api/2.0/call_requests/<int:request_id>", _item),
    path("api/2.0/auth", AuthView.as_view()),
    path("api/2.0/auth/", AuthView.as_view(schema=None)),
    # As its page prints it.
    path("api/auth", AuthView.as_view(schema=None)),
    path("api/2.0/call_requests/", views.CallRequestListView.as_view(schema=None)),
    path("api/2.0/call_requests/<int:request_id>/", views.CallRequestView.as_view(schema=None)),
    re_path(r"^/*api(?:/.*)?$", views.unknown),
]
