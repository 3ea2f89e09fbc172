"""The signature of an outgoing webhook by the Standard Webhooks scheme, version 1.0.0, with symmetric keys.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from callcenter.lib.secrets import random_token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SECRET_PREFIX: Final = "whsec_"
# The scheme takes 24 to 64 bytes.
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """A random signing secret, as the receiver stores it: `whsec_` and Base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def new_message_id() -> str:
    """A random message id; it has no full stop, which separates the parts of what is signed."""
    return f"msg_{random_token(27)}"


def signature(secret: str, *, message_id: str, timestamp: int, content: bytes) -> str:
    """One signature, with its version in front: `v1,…`.

    Units: `timestamp` in seconds since 1970, of this try and not of the event.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = b".".join((message_id.encode(), str(timestamp).encode(), content))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(keys: Sequence[str], *, message_id: str, at: datetime, content: bytes) -> dict[str, str]:
    """The three headers of one try, signed with each of the secrets, the newest first."""
    timestamp = int(at.timestamp())
    signatures = [signature(key, message_id=message_id, timestamp=timestamp, content=content) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
