"""Frozen values that other apps receive from accounts, and the words that they share with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from callcenter.accounts.models import ApiKey


class Activity(models.TextChoices):
    """What a company, or one of its lines, calls for; the calling rules ask for it."""

    REQUESTED_CALLBACK = "callback", _("Retorno pedido pelo cliente")
    TELEMARKETING = "telemarketing", _("Telemarketing")
    COLLECTION = "collection", _("Cobrança")
    SERVICE = "service", _("Serviço a cliente")
    SURVEY = "survey", _("Pesquisa")


@dataclass(frozen=True)
class IssuedKey:
    """A new API key; `secret` is its whole text and is known to nobody afterwards."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"IssuedKey(prefix={self.key.prefix!r})"


@dataclass(frozen=True)
class KeyRights:
    """A valid API key, its user (who knows their company scope), and what they may do in one app, by codename."""

    key: ApiKey
    codenames: frozenset[str]
