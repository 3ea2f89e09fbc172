"""The bot: each message of the requester takes one turn of the flow, until people take over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, NotFound
from helpdesk import flows
from helpdesk.data import Done
from helpdesk.flows import Ending, Flow, Position, Turn
from helpdesk.models import FlowStep, Message, Team
from helpdesk.selectors.canned import filled_in
from helpdesk.selectors.flows import active_flow, flow_of
from helpdesk.selectors.work import unanswered_messages
from helpdesk.services import forwarding
from helpdesk.services.closing import close_locked
from helpdesk.services.occurrences import settle_work
from helpdesk.services.rows import change, locked_atendimento
from helpdesk.services.writing import write_reply
from helpdesk.states import AttendantKind, ClosedWith, OccurrenceCategory, OccurrenceStatus, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Atendimento, BotFlow


def answer_by_bot(key: uuid.UUID, *, scope: Iterable[int] | None, now: datetime) -> Done:
    """The atendimento after the bot has answered that message of the requester.

    Nothing changes when the message was answered before, or the bot does not lead the conversation any more.
    Errors: `NotFound`; `Conflict` for a message of our side. Safe to repeat.
    """
    message = Message.objects.visible_to(scope).known_as(key).first()
    if message is None:
        raise NotFound(_("Não existe esta mensagem."))
    if not message.is_inbound:
        raise Conflict(_("A mensagem não é do solicitante."))
    with transaction.atomic():
        atendimento = locked_atendimento(message.atendimento_id, scope=scope)
        message.refresh_from_db(fields=["answered_at"])
        if message.answered_at is not None or not leads(atendimento):
            return Done(atendimento, has_changed=False)
        return _answered(atendimento, message, now=now)


def answer_all_by_bot(key: uuid.UUID, *, scope: Iterable[int] | None, now: datetime) -> Done:
    """The atendimento after the bot has answered everything that is unanswered; before its first word, all at once.

    Errors: `NotFound`. Safe to repeat.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        done = Done(atendimento, has_changed=False)
        for message in unanswered_messages(atendimento):
            message.refresh_from_db(fields=["answered_at"])
            if message.answered_at is None and leads(done.atendimento):
                done = _answered(done.atendimento, message, now=now)
        settle_work(done.atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.DONE, now=now)
        return done


def leads(atendimento: Atendimento) -> bool:
    """Whether a bot leads the conversation and may answer."""
    holder = atendimento.attendant
    return (
        atendimento.state == S.AUTOMATIC
        and not atendimento.needs_human
        and holder is not None
        and holder.kind == AttendantKind.BOT
    )


def _answered(atendimento: Atendimento, message: Message, *, now: datetime) -> Done:
    """One turn for a locked atendimento."""
    assert atendimento.attendant is not None
    bot_flow = active_flow(atendimento.attendant.flow_id)
    if bot_flow is None or not atendimento.attendant.is_active:
        _mark(atendimento, up_to=message, now=now)
        return forwarding.hand_over(atendimento, now=now, reason=TransferReason.BOT_HANDOVER)
    flow = flow_of(bot_flow)
    turn, up_to = _turn(flow, atendimento, message)
    _mark(atendimento, up_to=up_to, now=now)
    return _performed(atendimento, bot_flow, turn, now=now)


def _turn(flow: Flow, atendimento: Atendimento, message: Message) -> tuple[Turn, Message]:
    """The turn, and the last message that it answers: the greeting answers all that was written before it."""
    if atendimento.flow_step_id is None:
        return flows.opening(flow), unanswered_messages(atendimento)[-1]
    return flows.answer(flow, Position(atendimento.flow_step_id, atendimento.flow_misses), message.text), message


def _mark(atendimento: Atendimento, *, up_to: Message, now: datetime) -> None:
    atendimento.messages.filter(is_inbound=True, answered_at=None, number__lte=up_to.number).update(answered_at=now)


def _performed(atendimento: Atendimento, bot_flow: BotFlow, turn: Turn, *, now: datetime) -> Done:
    """What the turn says, and where it leads."""
    bot = atendimento.attendant
    assert bot is not None
    sayings = [(saying.step, saying.text) for saying in turn.sayings]
    if turn.ending == Ending.HAND_OVER and bot_flow.handover_text:
        sayings.append((None, bot_flow.handover_text))
    done = Done(atendimento)
    bells = done.bells
    steps = {step.pk: step for step in FlowStep.objects.filter(flow=bot_flow)}
    for step, text in sayings:
        done = write_reply(
            atendimento.pk,
            bot,
            scope=[atendimento.company_id],
            text=filled_in(text, atendimento, now=now, attendant=bot),
            now=now,
            flow_step=steps.get(step),
        )
        bells |= done.bells
    spoken = done.atendimento
    if turn.ending == Ending.CLOSE:
        ended = close_locked(spoken, now=now, with_=ClosedWith.BOT, by=bot)
    elif turn.ending == Ending.HAND_OVER:
        ended = forwarding.hand_over(
            spoken, now=now, reason=TransferReason.BOT_HANDOVER, team=_team(turn, spoken), by=bot
        )
    else:
        change(spoken, now=now, flow_step_id=turn.position.step, flow_misses=turn.position.misses)
        ended = Done(spoken)
    return Done(ended.atendimento, message=done.message, bells=bells | ended.bells)


def _team(turn: Turn, atendimento: Atendimento) -> Team | None:
    """The team that the flow names, as long as it is active."""
    teams = {team.pk: team for team in Team.objects.filter(company_id=atendimento.company_id, is_active=True)}
    return teams.get(turn.team)
