"""The tables of telephony: lines and accounts, attempts, the carrier's news, and the rules that staff edit."""

from telephony.models.attempts import AttemptEntry, CallAttempt
from telephony.models.channels import EventChannel, EventName
from telephony.models.events import FieldAlias, ProviderEvent, StatusAlias
from telephony.models.lines import DialerLine, DirectcallAccount, OpeningHours
from telephony.models.rules import RetryHours, RetryRule

__all__ = [
    "AttemptEntry",
    "CallAttempt",
    "DialerLine",
    "DirectcallAccount",
    "EventChannel",
    "EventName",
    "FieldAlias",
    "OpeningHours",
    "ProviderEvent",
    "RetryHours",
    "RetryRule",
    "StatusAlias",
]
