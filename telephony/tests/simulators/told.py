"""The carrier's callbacks as its simulator sent them, and as they are stored, read without the product's own reader."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telephony.tests.simulators.running import Simulators

_CALL_ID = re.compile(r'"callerid": "([0-9a-f-]{36})"')

# The carrier's id of a call, and the word; no word of a broken callback.
Told = tuple[str, str]


def acknowledged(simulators: Simulators) -> Counter[Told]:
    """The callbacks that were answered with 200, by the carrier's own record."""
    return Counter(
        (one["callerid"], "" if one["malformed"] else one["status"])
        for one in simulators.deliveries()
        if one["http_status"] == 200
    )


def told(bodies: Iterable[bytes | memoryview[int]]) -> Counter[Told]:
    """What these stored bodies tell."""
    return Counter(map(told_by, bodies))


def told_by(body: bytes | memoryview[int]) -> Told:
    """What one stored body tells."""
    text = unquote_plus(bytes(body).partition(b"=")[2].decode("latin-1"), encoding="latin-1")
    try:
        data = json.loads(text)
    except ValueError:
        named = _CALL_ID.search(text)
        return (named[1] if named else "", "")
    return (str(data.get("callerid", "")), str(data.get("status", "")))
