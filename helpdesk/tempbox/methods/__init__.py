"""The handlers of the 32 methods, a module a subject; importing this registers them all."""

from helpdesk.tempbox.methods import (
    automation,
    conversations,
    lifecycle,
    messages,
    overview,
    people,
    records,
    saving,
    sending,
)

__all__ = [
    "automation",
    "conversations",
    "lifecycle",
    "messages",
    "overview",
    "people",
    "records",
    "saving",
    "sending",
]
