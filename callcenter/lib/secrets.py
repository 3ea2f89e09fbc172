"""Secrets at rest: encrypted columns, keyed digests and random tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from callcenter.lib.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHABET: Final = string.ascii_letters + string.digits


class SecretUnreadable(DomainError):
    """A stored secret was encrypted with a key that is not configured; an operator must bring the key back."""

    code = "secret_unreadable"


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in keys])


def encrypt(text: str) -> str:
    """The text encrypted with the first of `FIELD_ENCRYPTION_KEYS`; an empty text stays empty."""
    keys: Sequence[str] = settings.FIELD_ENCRYPTION_KEYS
    return _box(tuple(keys)).encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """The text behind a stored token, by any of `FIELD_ENCRYPTION_KEYS`.

    Errors: `SecretUnreadable`.
    """
    if not token:
        return ""
    keys: Sequence[str] = settings.FIELD_ENCRYPTION_KEYS
    try:
        return _box(tuple(keys)).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(_("Um segredo guardado não pode ser lido com FIELD_ENCRYPTION_KEYS.")) from error


def is_current(token: str) -> bool:
    """Whether a stored token was written with the first of `FIELD_ENCRYPTION_KEYS`; the empty one always was."""
    if not token:
        return True
    try:
        _box(tuple(settings.FIELD_ENCRYPTION_KEYS[:1])).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def renewed(token: str) -> str:
    """The token written anew with the first of `FIELD_ENCRYPTION_KEYS`.

    Errors: `SecretUnreadable`.
    """
    return encrypt(decrypt(token))


def digest(text: str) -> str:
    """A keyed SHA-256 in 64 hex characters: right for random tokens of 128 bits and more, not for passwords."""
    pepper: str = settings.TOKEN_PEPPER
    return hmac.new(pepper.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def random_token(length: int = 40) -> str:
    """A random text of letters and digits, safe in a URL, in HTTP Basic and in a form (5.95 bits each)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A text that is encrypted in the database and plain in Python; it can't be searched or sorted by."""

    def get_prep_value(self, value: Any) -> Any:
        """The encrypted form that is written."""
        return value if value is None else encrypt(str(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The plain text of what was read.

        Errors: `SecretUnreadable`.
        """
        return value if value is None else decrypt(value)

    def value_to_string(self, obj: models.Model) -> str:
        """The encrypted form, so that a dump of the data holds no plain secret."""
        return encrypt(str(self.value_from_object(obj)))
