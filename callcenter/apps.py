"""The composition as a Django app: its commands, its static files and the admin site that all apps register with."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CallcenterConfig(AppConfig):
    """Holds the commands that name every app (demo data, health) and the stylesheet."""

    name = "callcenter"
    verbose_name = "Callcenter"

    def ready(self) -> None:
        """Make our Celery app the one that every process enqueues with, web and commands included."""
        # The app reads the settings, which are complete only now.
        import callcenter.celery  # noqa: F401, PLC0415


class CallcenterAdminConfig(AdminConfig):
    """Django's admin, on our own site."""

    default_site = "callcenter.admin_site.CallcenterAdminSite"
