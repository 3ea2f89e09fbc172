"""The ASGI application of the stream process: the open streams of visitors, and nothing else."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")
django.setup()

from helpdesk.chat.streams import Streams  # noqa: E402  the models it reads need the set-up

application = Streams()
