"""Where the providers reach us."""

from django.urls import path

from telephony.webhooks import directcall_callback

urlpatterns = [
    path("directcall/<str:secret>", directcall_callback, name="directcall-callback"),
]
