"""The IA: one answer to everything that is unanswered, sent where the channel allows it, else drafted for people.

    read what is unanswered ─► ask the assistant, no transaction open ─► lock, look again ─► send, or draft for people

Whatever the assistant can't do (no answer, little confidence, a failure) is for people: the conversation goes to their
queue, and no automation answers it again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.data import Done
from helpdesk.models import Attendant, HelpdeskSettings, Message, ReplyDraft
from helpdesk.providers.base import AssistantError, Question
from helpdesk.providers.choice import chosen_assistant
from helpdesk.providers.embedded.search import stems
from helpdesk.selectors.canned import filled_in
from helpdesk.selectors.flows import active_flow
from helpdesk.selectors.knowledge import passages_for, said_before
from helpdesk.selectors.work import has_spoken, unanswered_messages
from helpdesk.services import forwarding
from helpdesk.services.occurrences import log_occurrence, settle_work
from helpdesk.services.rows import locked_atendimento
from helpdesk.services.writing import write_reply
from helpdesk.states import AttendantKind, OccurrenceCategory, OccurrenceStatus, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Atendimento
    from helpdesk.providers.base import Suggestion

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Verdict:
    """What the assistant came to: a suggestion, or why there is none (`silent`, `unsure`, or an error's code)."""

    suggestion: Suggestion | None = None
    why: str = ""


def answer_by_ia(key: uuid.UUID, *, scope: Iterable[int] | None, now: datetime) -> Done:
    """The atendimento after the IA has answered what is unanswered in it, or given up on it.

    Nothing changes when nothing is unanswered or no IA leads it, or when the requester wrote on meanwhile: the
    occurrence that asks for an answer is pending then.
    Errors: `NotFound`; never the assistant's. Safe to repeat.
    Effects: a network call where an endpoint is set and the company lets texts leave; no transaction is open during it.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        asked = unanswered_messages(atendimento) if leads(atendimento) else []
        if not asked:
            settle_work(atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.SKIPPED, now=now)
            return Done(atendimento, has_changed=False)
        if atendimento.attendant is not None and not atendimento.attendant.is_active:
            return _acted(atendimento, asked, _Verdict(why="inactive"), now=now)
        if greeting := _greeting(atendimento, asked, now=now):
            return _said(atendimento, asked, greeting, now=now)
    verdict = _verdict(atendimento, asked)
    with transaction.atomic():
        atendimento = locked_atendimento(atendimento.pk, scope=scope)
        waiting = unanswered_messages(atendimento) if leads(atendimento) else []
        if [one.pk for one in waiting] != [one.pk for one in asked]:
            return Done(atendimento, has_changed=False)
        return _acted(atendimento, asked, verdict, now=now)


def draft_reply(key: uuid.UUID, *, scope: Iterable[int] | None, now: datetime) -> ReplyDraft | None:
    """The IA's draft for the last thing that the requester wrote, whoever holds the conversation; None for no answer.

    Errors: `NotFound`; `AssistantError`. Safe to repeat: a message has one draft.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
    last = atendimento.messages.filter(is_inbound=True).order_by("-number").first()
    ias = Attendant.objects.filter(company_id=atendimento.company_id, kind=AttendantKind.IA, is_active=True)
    ia = ias.order_by("created_at").first()
    if last is None or ia is None:
        return None
    verdict = _asked(atendimento, [last])
    if verdict.suggestion is None:
        return None
    return _drafted(atendimento, last, verdict.suggestion, ia_id=ia.pk, now=now)


def leads(atendimento: Atendimento) -> bool:
    """Whether an IA leads the conversation and may answer."""
    holder = atendimento.attendant
    return (
        atendimento.state == S.AUTOMATIC
        and not atendimento.needs_human
        and holder is not None
        and holder.kind == AttendantKind.IA
    )


def _greeting(atendimento: Atendimento, asked: list[Message], *, now: datetime) -> str:
    """What the IA says to somebody who has only greeted: the first words of its flow; empty when something is asked."""
    holder = atendimento.attendant
    flow = active_flow(holder.flow_id) if holder is not None else None
    if flow is None or flow.first_step is None or has_spoken(atendimento) or stems(_text_of(asked)):
        return ""
    return filled_in(flow.first_step.text, atendimento, now=now)


def _verdict(atendimento: Atendimento, asked: list[Message]) -> _Verdict:
    try:
        return _asked(atendimento, asked)
    except AssistantError as error:
        log.warning("atendimento %s: the assistant did not answer (%s)", atendimento.pk, error.code)
        return _Verdict(why=error.code)


def _asked(atendimento: Atendimento, asked: list[Message]) -> _Verdict:
    """What the assistant says; asks it, so no transaction may be open."""
    settings = HelpdeskSettings.objects.filter(company_id=atendimento.company_id).first() or HelpdeskSettings()
    question = Question(
        text=_text_of(asked),
        passages=passages_for(atendimento.company_id, atendimento.platform),
        history=said_before(atendimento, before=asked[0].number),
    )
    suggestion = chosen_assistant(may_leave=settings.ia_may_leave).suggest(question)
    if suggestion is None:
        return _Verdict(why="silent")
    return _Verdict(suggestion) if suggestion.confidence >= settings.ia_threshold else _Verdict(why="unsure")


def _acted(atendimento: Atendimento, asked: list[Message], verdict: _Verdict, *, now: datetime) -> Done:
    """Say it, or leave it to people with a draft or without one."""
    suggestion = verdict.suggestion
    if suggestion is not None and atendimento.channel is not None and atendimento.channel.ia_replies:
        return _said(
            atendimento,
            asked,
            suggestion.text,
            now=now,
            confidence=suggestion.confidence,
            sources=_sources(suggestion),
        )
    _mark(asked, now=now)
    if suggestion is not None and atendimento.attendant_id is not None:
        _drafted(atendimento, asked[-1], suggestion, ia_id=atendimento.attendant_id, now=now)
    has_failed = verdict.why not in {"", "silent", "unsure"}
    settle_work(
        atendimento,
        [OccurrenceCategory.FIRST_REPLY],
        status=OccurrenceStatus.ERROR if has_failed else OccurrenceStatus.DONE,
        now=now,
    )
    log_occurrence(
        atendimento,
        OccurrenceCategory.FIRST_REPLY,
        now=now,
        status=OccurrenceStatus.ERROR if has_failed else OccurrenceStatus.DONE,
        message=_outcome(verdict, has_failed=has_failed),
        actor=atendimento.attendant,
        why=verdict.why,
    )
    return forwarding.hand_over(atendimento, now=now, reason=TransferReason.IA_HANDOVER, by=atendimento.attendant)


def _outcome(verdict: _Verdict, *, has_failed: bool) -> str:
    if verdict.suggestion is not None:
        return _("A IA deixou um rascunho para as pessoas")
    return _("A IA falhou e passou a uma pessoa") if has_failed else _("A IA não soube responder e passou a uma pessoa")


def _said(atendimento: Atendimento, asked: list[Message], text: str, *, now: datetime, **fields: Any) -> Done:
    assert atendimento.attendant is not None
    _mark(asked, now=now)
    settle_work(atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.DONE, now=now)
    return write_reply(
        atendimento.pk, atendimento.attendant, scope=[atendimento.company_id], text=text, now=now, **fields
    )


def _drafted(
    atendimento: Atendimento, answers: Message, suggestion: Suggestion, *, ia_id: uuid.UUID, now: datetime
) -> ReplyDraft:
    draft, _is_new = ReplyDraft.objects.get_or_create(
        answers=answers,
        defaults={
            "company_id": atendimento.company_id,
            "atendimento": atendimento,
            "attendant_id": ia_id,
            "text": suggestion.text,
            "confidence": suggestion.confidence,
            "sources": _sources(suggestion),
            "created_at": now,
            "updated_at": now,
        },
    )
    return draft


def _mark(asked: list[Message], *, now: datetime) -> None:
    Message.objects.filter(pk__in=[one.pk for one in asked]).update(answered_at=now)


def _text_of(asked: list[Message]) -> str:
    return "\n".join(one.text for one in asked if one.text)


def _sources(suggestion: Suggestion) -> list[dict[str, str]]:
    return [{"kind": one.kind.value, "hash": one.id, "title": one.title} for one in suggestion.sources]
