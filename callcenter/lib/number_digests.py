"""Numbers as keyed digests: enough to recognise one, useless to whoever steals the table without the key."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

# Apart from every other use of the pepper.
_PURPOSE: Final = b"number:"


def number_digest(phone_e164: str) -> UUID:
    """The first 128 bits of the number's HMAC-SHA256 under `TOKEN_PEPPER`, as databases store 16 bytes best.

    There are few enough numbers to try them all, so the digest protects only as long as the key is kept apart.
    """
    return UUID(hex=number_hex(phone_e164))


def number_digests(phones_e164: Iterable[str]) -> list[UUID]:
    """The digests of these numbers, in their order."""
    return [UUID(int=int(digest, 16)) for digest in number_hexes(phones_e164)]


def number_hexes(phones_e164: Iterable[str]) -> list[str]:
    """The digests of these numbers as hex, in their order."""
    key = settings.TOKEN_PEPPER.encode()
    return [hmac.digest(key, _PURPOSE + phone.encode(), "sha256")[:16].hex() for phone in phones_e164]


def number_hex(phone_e164: str) -> str:
    """The same as 32 hex characters: for whoever has millions to store."""
    key: str = settings.TOKEN_PEPPER
    return hmac.digest(key.encode(), _PURPOSE + phone_e164.encode(), "sha256")[:16].hex()


def key_check() -> UUID:
    """What tells whether digests were made with today's key; kept beside them."""
    return number_digest("key check")
