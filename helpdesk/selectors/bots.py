"""The steps of bots' flows, as the API names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from callcenter.lib.errors import NotFound
from helpdesk.models import FlowStep

if TYPE_CHECKING:
    import uuid


def step_known_as(key: uuid.UUID, *, company_id: int) -> FlowStep:
    """The company's step with this id or hash.

    Errors: `NotFound`.
    """
    found: FlowStep | None = FlowStep.objects.filter(company_id=company_id).known_as(key).first()
    if found is None:
        raise NotFound(_("Não existe esta mensagem de fluxo."))
    return found
