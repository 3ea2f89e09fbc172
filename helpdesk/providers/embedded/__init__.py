"""The assistant that needs nothing installed and lets nothing out: text search over what the company has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.providers.base import ContactDetails, Suggestion
from helpdesk.providers.embedded.details import details_in
from helpdesk.providers.embedded.search import best_passage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpdesk.providers.base import Question


class EmbeddedAssistant:
    """Answers with passages word by word, so that it can't make anything up."""

    def suggest(self, question: Question) -> Suggestion | None:
        """The passage that speaks of most of what was asked; the confidence is that share, by weight."""
        found = best_passage(question.text, question.passages)
        if found is None:
            return None
        return Suggestion(found.excerpt, found.confidence, (found.passage,))

    def contact_details(self, texts: Sequence[str]) -> ContactDetails:
        """What stands in the messages in one of the usual forms."""
        details = ContactDetails()
        for text in texts:
            details = details_in(text).over(details)
        return details
