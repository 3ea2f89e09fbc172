"""The tables of telephony: lines and accounts, attempts, the carrier's news, and the rules that staff edit."""

from telephony.models.answered import AnsweredCall
from telephony.models.attempts import AttemptEntry, CallAttempt
from telephony.models.calling_rules import (
    CallingRule,
    CallingRuleVersion,
    ContactPreference,
    OwnHoliday,
    RuleBookStamp,
)
from telephony.models.carrier import (
    CallbackRegistration,
    CarrierDifference,
    CarrierInquiry,
    Reconciliation,
    RecordingPlay,
)
from telephony.models.channels import EventChannel, EventName
from telephony.models.commands import CallCommand, DacDevice
from telephony.models.do_not_call import (
    CallAuthorization,
    DoNotCallChange,
    DoNotCallEntry,
    DoNotCallImport,
    DoNotCallList,
)
from telephony.models.events import FieldAlias, ProviderEvent, StatusAlias
from telephony.models.lines import DialerLine, DirectcallAccount, OpeningHours
from telephony.models.meters import CallTally
from telephony.models.promises import PromiseCheck, PromiseViolation
from telephony.models.rules import RetryHours, RetryRule
from telephony.models.safety import DialerSwitch, LineBreaker, SwitchEntry

__all__ = [
    "AnsweredCall",
    "AttemptEntry",
    "CallAttempt",
    "CallCommand",
    "CallAuthorization",
    "CallTally",
    "CallbackRegistration",
    "CallingRule",
    "CallingRuleVersion",
    "CarrierDifference",
    "CarrierInquiry",
    "ContactPreference",
    "DacDevice",
    "DialerLine",
    "DialerSwitch",
    "DirectcallAccount",
    "DoNotCallChange",
    "DoNotCallEntry",
    "DoNotCallImport",
    "DoNotCallList",
    "EventChannel",
    "EventName",
    "FieldAlias",
    "LineBreaker",
    "OpeningHours",
    "OwnHoliday",
    "PromiseCheck",
    "PromiseViolation",
    "ProviderEvent",
    "Reconciliation",
    "RecordingPlay",
    "RetryHours",
    "RetryRule",
    "RuleBookStamp",
    "StatusAlias",
    "SwitchEntry",
]
