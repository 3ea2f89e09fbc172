"""Work that nobody asked for although somebody waits: after a mended database, an import, or a change by hand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from callcenter.lib.errors import NotFound
from helpdesk.selectors import work
from helpdesk.services.occurrences import ask_for_work
from helpdesk.services.rows import locked_atendimento
from helpdesk.states import OccurrenceCategory, S

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

log = logging.getLogger(__name__)

_STATE_OF = {OccurrenceCategory.NO_ATTENDANT: S.QUEUED, OccurrenceCategory.FIRST_REPLY: S.AUTOMATIC}


def ask_for_forgotten_work(scope: Iterable[int] | None, *, now: datetime) -> int:
    """For how many conversations work was asked for that was missing. Safe to repeat."""
    asked = 0
    for atendimento_id, category in work.forgotten_ids(scope):
        with transaction.atomic():
            try:
                atendimento = locked_atendimento(atendimento_id, scope=None)
            except NotFound:
                # Deleted meanwhile.
                continue
            if atendimento.is_waiting and atendimento.state == _STATE_OF[category]:
                ask_for_work(atendimento, category, now=now)
                asked += 1
    if asked:
        log.warning("%s conversations waited without any work being asked for", asked)
    return asked
