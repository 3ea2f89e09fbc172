"""The bot's flows as the interpreter takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.flows import Ending, Flow, Line, Option, Step, preview
from helpdesk.models import BotFlow
from helpdesk.states import FlowAction

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from helpdesk.models import FlowOption, FlowStep


def flow_of(bot_flow: BotFlow) -> Flow:
    """The flow with all its steps. Two queries."""
    steps = {step.pk: _step(step) for step in bot_flow.steps.prefetch_related("options")}
    return Flow(
        first=bot_flow.first_step_id,
        steps=steps,
        tries=max(bot_flow.misses_allowed, 1),
        not_understood=bot_flow.not_understood,
    )


def active_flow(flow_id: uuid.UUID | None) -> BotFlow | None:
    """The flow, if there is one and it is switched on."""
    return BotFlow.objects.filter(pk=flow_id, is_active=True).first() if flow_id is not None else None


def flow_preview(bot_flow: BotFlow, answers: Iterable[str]) -> list[Line]:
    """The conversation that a requester with these answers would have with the flow."""
    return preview(flow_of(bot_flow), answers)


def _step(step: FlowStep) -> Step:
    leads_on = step.after in {FlowAction.STEP, ""}
    return Step(
        text=step.text,
        options=tuple(_option(option) for option in step.options.all()),
        next_step=step.next_step_id if leads_on else None,
        ending=_ending(step.after),
        team=step.team_id,
    )


def _option(option: FlowOption) -> Option:
    is_step = option.action == FlowAction.STEP
    return Option(
        key=str(option.position),
        label=option.label,
        words=tuple(word.strip() for word in option.keywords.split(",") if word.strip()),
        next_step=option.next_step_id if is_step else None,
        # A step that was removed leads to people.
        ending=Ending.HAND_OVER if is_step else _ending(option.action),
        team=option.team_id,
    )


def _ending(action: str) -> Ending:
    return {FlowAction.HANDOVER.value: Ending.HAND_OVER, FlowAction.CLOSE.value: Ending.CLOSE}.get(action, Ending.NONE)
