"""Our admin site: Django's own, with the product's name, order and front page."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class CallcenterAdminSite(admin.AdminSite):
    """The staff's site."""

    site_title = _("Callcenter")
    site_header = _("Callcenter")
    index_title = _("Painel")
    site_url = None
