"""What a scheduler or a trigger calls: the jobs over all companies of the token, and single answers by bot and IA.

Each is safe to repeat and works record by record: one that fails is in the log and stops no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.data import WHATEVER_FOLLOWS
from helpdesk.services.assignment import assign_waiting
from helpdesk.services.bot import answer_by_bot
from helpdesk.services.data_collection import collect_contact_details
from helpdesk.services.first_reply import send_automatic_replies
from helpdesk.services.ia import answer_by_ia
from helpdesk.services.waiting_reply import send_waiting_replies
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    from helpdesk.tempbox.calls import Call


@method("ProcessarOcorrenciaSemAtendente")
def assign(call: Call) -> None:
    """Nothing; what waits with nobody is with the least loaded person who is there."""
    if assign_waiting(call.caller.scope, now=call.now):
        call.bells |= WHATEVER_FOLLOWS


@method("ProcessarOcorrenciaRespostaInicialBotIa")
def reply_first(call: Call) -> None:
    """Nothing; the automations have answered what waits for them."""
    if send_automatic_replies(call.caller.scope, now=call.now):
        call.bells |= WHATEVER_FOLLOWS


@method("RespostaAutomaticaPronta")
def reply_to_waiting(call: Call) -> None:
    """Nothing; whoever waits too long, or outside the hours, was told so once."""
    if send_waiting_replies(call.caller.scope, now=call.now):
        call.bells |= WHATEVER_FOLLOWS


@method("ColetarDadosIa")
def collect(call: Call) -> None:
    """Nothing; what new messages tell of their authors is in the contacts' empty fields."""
    collect_contact_details(call.caller.scope, now=call.now)


@method("ResponderMensagemBot", takes="AtendimentoMensagem! varchar")
def answer_with_bot(call: Call) -> None:
    """Nothing; the bot has answered that message, now or earlier, unless a person leads the conversation."""
    call.bells |= answer_by_bot(call.key("AtendimentoMensagem"), scope=call.caller.scope, now=call.now).bells


@method("ResponderMensagemIa", takes="Atendimento! varchar, Empresa varchar")
def answer_with_ia(call: Call) -> None:
    """Nothing; the IA has answered what was unanswered, or has given the conversation to people."""
    key = call.key("Atendimento")
    call.bells |= answer_by_ia(key, scope=[call.company.id], now=call.now).bells
