"""The application of the webhook's benchmark: ours, with a bare view beside it."""

from __future__ import annotations

import django
from django.conf import settings

django.setup()
settings.ROOT_URLCONF = "bench.webhook_urls"

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402  it reads the settings when it is made

application = WSGIHandler()
