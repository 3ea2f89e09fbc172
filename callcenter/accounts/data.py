"""Frozen values that other apps receive from accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callcenter.accounts.models import ApiKey


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
