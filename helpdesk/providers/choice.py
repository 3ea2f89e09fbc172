"""Which assistant this installation uses, by its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from helpdesk.providers.embedded import EmbeddedAssistant
from helpdesk.providers.openai_compatible.client import Endpoint, OpenAICompatibleAssistant

if TYPE_CHECKING:
    from helpdesk.providers.base import Assistant


def chosen_assistant(*, may_leave: bool) -> Assistant:
    """The assistant for a company whose data may or may not leave the installation; without leave, the embedded one."""
    if not settings.ASSISTANT_BASE_URL or not may_leave:
        return EmbeddedAssistant()
    return OpenAICompatibleAssistant(
        Endpoint(
            base_url=settings.ASSISTANT_BASE_URL,
            model=settings.ASSISTANT_MODEL,
            api_key=settings.ASSISTANT_API_KEY,
            connect_seconds=settings.ASSISTANT_CONNECT_TIMEOUT_SECONDS,
            total_seconds=settings.ASSISTANT_TIMEOUT_SECONDS,
        )
    )
