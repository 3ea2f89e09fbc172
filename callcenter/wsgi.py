"""The WSGI application that the web server runs."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from callcenter.lib.open_bodies import MeasuredBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

application = MeasuredBodies(get_wsgi_application(), most_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
