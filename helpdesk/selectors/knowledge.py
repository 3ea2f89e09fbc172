"""What the IA may answer with, and what was said so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q

from helpdesk.models import CannedMessage, KnowledgeArticle
from helpdesk.providers.base import Passage, Said, SourceKind

if TYPE_CHECKING:
    from helpdesk.models import Atendimento

# A company with more texts than this needs a search engine, not an assistant that reads them all.
MOST_PASSAGES: Final = 2000
MOST_HISTORY: Final = 20


def passages_for(company_id: int, platform: int) -> list[Passage]:
    """The company's active articles, and the canned messages of the medium that the IA may use. Two queries.

    A canned message with variables is said as it stands, so one that names any is left to people.
    """
    articles = KnowledgeArticle.objects.filter(company_id=company_id, is_active=True)
    canned = CannedMessage.objects.filter(
        Q(platform=None) | Q(platform=platform), company_id=company_id, is_active=True, ia_may_use=True
    ).exclude(text__contains="{")
    return [
        *(
            Passage(SourceKind.ARTICLE, str(one.hash), one.title, one.body, one.keywords)
            for one in articles[:MOST_PASSAGES]
        ),
        *(Passage(SourceKind.CANNED, str(one.hash), one.title, one.text) for one in canned[:MOST_PASSAGES]),
    ]


def said_before(atendimento: Atendimento, *, before: int) -> list[Said]:
    """The conversation up to the message with that number, oldest first; notes are not part of it. One query."""
    messages = atendimento.messages.filter(number__lt=before, is_internal=False).order_by("-number")[:MOST_HISTORY]
    return [Said(is_requester=one.is_inbound, text=one.text) for one in reversed(messages) if one.text]
