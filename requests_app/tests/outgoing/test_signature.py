"""The signature is the one that every library of Standard Webhooks verifies."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from callcenter.lib.standard_webhooks import headers, new_message_id, new_secret, signature

# The vector that the reference libraries share.
# Source: https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries (their tests)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
CONTENT = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_shared_vector_is_signed_alike() -> None:
    assert signature(SECRET, message_id=MESSAGE_ID, timestamp=TIMESTAMP, content=CONTENT) == SIGNATURE


def test_the_headers_carry_id_seconds_and_one_signature_per_secret() -> None:
    other = new_secret()
    at = datetime.fromtimestamp(TIMESTAMP, UTC).replace(microsecond=999_999)
    made = headers([other, SECRET], message_id=MESSAGE_ID, at=at, content=CONTENT)
    assert made == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": f"{signature(other, message_id=MESSAGE_ID, timestamp=TIMESTAMP, content=CONTENT)}"
        f" {SIGNATURE}",
    }


def test_every_part_is_signed() -> None:
    made = {
        signature(SECRET, message_id=MESSAGE_ID, timestamp=TIMESTAMP, content=CONTENT),
        signature(new_secret(), message_id=MESSAGE_ID, timestamp=TIMESTAMP, content=CONTENT),
        signature(SECRET, message_id="msg_x", timestamp=TIMESTAMP, content=CONTENT),
        signature(SECRET, message_id=MESSAGE_ID, timestamp=TIMESTAMP + 1, content=CONTENT),
        signature(SECRET, message_id=MESSAGE_ID, timestamp=TIMESTAMP, content=CONTENT + b" "),
    }
    assert len(made) == 5


def test_a_secret_is_as_long_as_the_scheme_asks_and_never_twice_the_same() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_an_id_has_no_full_stop_in_it_and_is_never_twice_the_same() -> None:
    ids = {new_message_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(one.startswith("msg_") and "." not in one and len(one) <= 40 for one in ids)
