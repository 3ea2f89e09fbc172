"""Answering from a page that was read a moment ago: what happened meanwhile is told before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, NotFound
from helpdesk.models import Message, ReplyDraft
from helpdesk.services.rows import locked_atendimento
from helpdesk.services.writing import write_reply

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from helpdesk.data import Done, NewFile
    from helpdesk.models import Atendimento, Attendant


class Overtaken(Conflict):
    """Somebody else answered, or the conversation changed hands, since the page was read. Nothing was sent."""

    code = "overtaken"


@dataclass(frozen=True)
class Seen:
    """What the page showed: the newest message's number, and who held the conversation (None = nobody)."""

    number: int
    holder_id: uuid.UUID | None


def answer(
    key: uuid.UUID,
    attendant: Attendant,
    *,
    scope: Iterable[int] | None,
    text: str,
    seen: Seen,
    now: datetime,
    files: Sequence[NewFile] = (),
) -> Done:
    """The reply of a person who read the conversation up to `seen`.

    Errors: `Overtaken`, with what happened meanwhile, before anything is written; else as `write_reply`.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        if objection := _meanwhile(atendimento, attendant, seen):
            raise Overtaken(objection)
        return write_reply(atendimento.pk, attendant, scope=scope, text=text, now=now, files=files)


def use_draft(
    draft_id: uuid.UUID, attendant: Attendant, *, scope: Iterable[int] | None, text: str, seen: Seen, now: datetime
) -> Done:
    """The IA's draft, sent by a person as it is or as they changed it; of two who send it at once one does.

    Errors: `NotFound`; `Conflict` when it was used or discarded already; `Overtaken`.
    """
    with transaction.atomic():
        draft = ReplyDraft.objects.visible_to(scope).filter(pk=draft_id).first()
        if draft is None:
            raise NotFound(_("Não existe este rascunho."))
        locked_atendimento(draft.atendimento_id, scope=scope)
        open_ones = ReplyDraft.objects.filter(pk=draft.pk, used_at=None, discarded_at=None)
        if not open_ones.update(used_at=now, updated_at=now):
            raise Conflict(_("O rascunho já foi usado ou descartado."))
        return answer(draft.atendimento_id, attendant, scope=scope, text=text or draft.text, seen=seen, now=now)


def discard_draft(draft_id: uuid.UUID, *, scope: Iterable[int] | None, now: datetime) -> bool:
    """Whether this call discarded the draft."""
    open_ones = ReplyDraft.objects.visible_to(scope).filter(pk=draft_id, used_at=None, discarded_at=None)
    return bool(open_ones.update(discarded_at=now, updated_at=now))


def _meanwhile(atendimento: Atendimento, attendant: Attendant, seen: Seen) -> str:
    """What somebody else did since the page was read; empty for nothing."""
    others = Message.objects.filter(
        atendimento=atendimento, number__gt=seen.number, is_inbound=False, is_internal=False, is_automatic=False
    ).exclude(attendant=attendant)
    last = others.select_related("attendant").order_by("-number").first()
    if last is not None:
        name = last.attendant.name if last.attendant else _("O sistema")
        return _("%(name)s respondeu enquanto você escrevia. Leia e, se ainda quiser, envie de novo.") % {"name": name}
    if atendimento.attendant_id in {seen.holder_id, attendant.pk}:
        return ""
    if atendimento.attendant is None:
        return _("O atendimento voltou para a fila enquanto você escrevia. Se ainda quiser, envie de novo.")
    name = atendimento.attendant.name
    return _("O atendimento passou para %(name)s enquanto você escrevia. Se ainda quiser, envie de novo.") % {
        "name": name
    }
