"""The admin of telephony: calls and the carrier's news to read, lines, accounts and rules to set."""

from telephony.admin import (  # noqa: F401 - they register themselves
    accounts,
    attempts,
    carrier,
    channels,
    commands,
    events,
    lines,
    promises,
    retry_rules,
    rules,
    safety,
)
