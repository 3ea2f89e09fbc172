"""The admin of conversations: the list and the page that attendants answer from, and everything behind it."""

from helpdesk.admin import (  # noqa: F401 - they register themselves
    atendimentos,
    calendar,
    channels,
    contacts,
    deliveries,
    flows,
    log,
    people,
    settings,
    texts,
    tokens,
)
