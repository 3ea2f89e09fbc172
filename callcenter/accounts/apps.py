"""The accounts app; it keeps the roles' permissions in step with `roles.py` after every migrate."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Companies, users, API keys and roles."""

    name = "callcenter.accounts"
    label = "accounts"
    verbose_name = _("Contas")

    def ready(self) -> None:
        """Connect the roles to the permissions that each app's migrations create."""
        post_migrate.connect(_grant_roles, dispatch_uid="accounts.grant_roles")


def _grant_roles(app_config: AppConfig, using: str, **_kwargs: Any) -> None:
    # Models can't be imported before the app registry is ready.
    from callcenter.accounts.services import grant_roles  # noqa: PLC0415

    if app_config.models_module:
        grant_roles(app_label=app_config.label, using=using)
