"""`/chat/`: what a visitor's page asks, by hashes alone. `<hash>/eventos` is the stream process's (`streams`)."""

from __future__ import annotations

from django.urls import path

from helpdesk.chat import downloads, views

urlpatterns = [
    path("demo", views.demo, name="chat-demo"),
    path("anexos/<uuid:key>", downloads.download, name="attachment"),
    path("canais/<uuid:key>", views.card, name="chat-channel"),
    path("canais/<uuid:key>/conversas", views.open_conversation, name="chat-open"),
    path("<uuid:key>/mensagens", views.messages, name="chat-messages"),
    path("<uuid:key>/arquivos", views.upload, name="chat-upload"),
    path("<uuid:key>/arquivos/<uuid:file>", views.download, name="chat-file"),
]
