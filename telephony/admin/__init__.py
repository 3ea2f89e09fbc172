"""The admin of telephony: calls and the carrier's news to read, lines, accounts and rules to set."""

from telephony.admin import (  # noqa: F401 - they register themselves
    accounts,
    answered,
    attempts,
    calling_rules,
    carrier,
    channels,
    commands,
    do_not_call,
    do_not_call_lists,
    events,
    lines,
    promises,
    retry_rules,
    rules,
    safety,
)
