"""The helpdesk app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HelpdeskConfig(AppConfig):
    """Conversations, who leads them, and what automates them."""

    name = "helpdesk"
    verbose_name = _("Atendimentos")
