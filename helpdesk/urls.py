"""`/api/Atendimento/<Metodo>`; whatever else lies below it is no method."""

from __future__ import annotations

from django.urls import path

from helpdesk.tempbox.dispatch import call_method, unknown

urlpatterns = [
    path("Atendimento", unknown),
    path("Atendimento/", unknown),
    path("Atendimento/<str:name>", call_method, name="tempbox"),
    path("Atendimento/<path:_rest>", unknown),
]
