"""Answered calls that were cut off: how one is known, and the callback that it leads to.

Source: Decreto 11.034/2022: if the call drops, the company calls back, gives the protocol number, and concludes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from callcenter.lib.database import serialize
from callcenter.lib.errors import Conflict
from callcenter.lib.number_digests import number_digest
from helpdesk.services.phone_calls import conversation_of_call, drop_rules, note_call
from requests_app.services.dropped import ask_again
from requests_app.states import OPEN, Outcome
from telephony import selectors
from telephony.models import AnsweredCall, DoNotCallEntry, ProviderEvent
from telephony.providers.directcall.callback import UnreadableCallback, parse_callback
from telephony.rule_terms import INTERNAL_LISTS
from telephony.states import CUTS, FINAL_NEWS, AfterDrop, AttemptState, CommandKind, CommandOutcome, DropReason, Meaning

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import User
    from helpdesk.data import DropRules
    from helpdesk.models import Atendimento
    from telephony.models import CallAttempt

# How much later than the PABX's event the carrier's callback about the same end may come.
CARRIERS_MOMENT: Final = timedelta(seconds=5)
_ENDS: Final = frozenset(meaning for meaning, _outcome in FINAL_NEWS)
# By these a person of ours may have ended the call.
_MAY_HAVE_FINISHED: Final = (CommandOutcome.DONE, CommandOutcome.SENT, CommandOutcome.UNKNOWN)


def follow_drop(call: AnsweredCall, *, now: datetime) -> dict[str, Any] | None:
    """The columns that say how the call ended: nothing to say of one that is on, went its way, or is no conversation's.

    None = too early to say: the PABX has told of the end, and the carrier, who knows how long it was, has a moment yet.
    Within a transaction in which nobody else follows the same call.
    Effects: for a dropped one the callback's request and a note in the conversation, as the company wants it.
    """
    attempt = call.attempt
    if attempt.state != AttemptState.ENDED or attempt.outcome != Outcome.ANSWERED or call.atendimento_id is None:
        return {}
    rules, talked = drop_rules(call.company_id), talked_seconds(attempt)
    told: dict[str, Any] = {"talked_seconds": talked}
    reason = _drop_of(attempt, talked, rules=rules)
    if reason == DropReason.SHORT and attempt.ended_at and now < attempt.ended_at + CARRIERS_MOMENT:
        ends = attempt.events.filter(meaning__in=_ENDS)
        if not ends.filter(account__isnull=False).exists():
            return None
    return told if reason is None else told | _followed(call, reason, rules=rules, now=now)


def report_drop(atendimento: Atendimento, user: User, now: datetime) -> str:
    """What was done about the last call of the conversation, of which a person says that it dropped.

    Errors: `Conflict` when the conversation has no call, or what follows from its drop was done already.
    """
    last = (
        AnsweredCall.objects.filter(atendimento_id=atendimento.pk).order_by("-pk").values_list("pk", flat=True).first()
    )
    if last is None:
        raise Conflict(_("Este atendimento não tem ligação."))
    serialize(f"answered-call:{last}")
    call = AnsweredCall.objects.select_related("attempt__call_request").get(pk=last)
    if call.after:
        raise Conflict(_("A queda desta ligação já foi tratada: %(what)s.") % {"what": call.get_after_display()})
    changes = _followed(call, DropReason.PERSON, rules=drop_rules(call.company_id), now=now, actor=user)
    AnsweredCall.objects.filter(pk=last).update(**changes)
    return str(AfterDrop(changes["after"]).label)


def talked_seconds(attempt: CallAttempt) -> int | None:
    """For how long the two could talk, at most, by what was told; None when the news don't say.

    Of the time between the news and the carrier's own duration the longer one counts: news come late together.
    """
    answered, ended, said = [], [], []
    names, words = selectors.field_names(), selectors.status_words()
    for event in attempt.events.filter(state=ProviderEvent.State.APPLIED):
        if event.meaning == Meaning.ANSWERED:
            answered.append(event.received_at)
        elif event.meaning in _ENDS:
            ended.append(event.received_at)
            if event.line_id is None and (duration := _duration(event, names, words)) is not None:
                said.append(duration)
    if answered and ended and min(ended) >= min(answered):
        said.append(int((min(ended) - min(answered)).total_seconds()))
    return max(said) if said else None


def _duration(event: ProviderEvent, names: dict[str, list[str]], words: dict[str, str]) -> int | None:
    try:
        report = parse_callback(bytes(event.raw), event.content_type, field_names=names, status_words=words)
    except UnreadableCallback:
        return None
    return report.duration_seconds


def _drop_of(attempt: CallAttempt, talked: int | None, *, rules: DropRules) -> DropReason | None:
    """How the ended call dropped; None for one that ended as calls do."""
    finished = attempt.commands.filter(kind=CommandKind.FINISH, outcome__in=_MAY_HAVE_FINISHED)
    if finished.exists() or _was_disposed(attempt):
        return None
    if CUTS & set(attempt.events.values_list("meaning", flat=True)):
        return DropReason.NETWORK
    return DropReason.SHORT if talked is not None and 0 <= talked <= rules.seconds and rules.seconds else None


def _was_disposed(attempt: CallAttempt) -> bool:
    """Whether the person who talked has said how it went."""
    call_request = attempt.call_request
    return attempt.line.requires_disposition and call_request is not None and call_request.status not in OPEN


def _followed(
    call: AnsweredCall, reason: DropReason, *, rules: DropRules, now: datetime, actor: User | None = None
) -> dict[str, Any]:
    attempt, nth = call.attempt, _nth(call.attempt)
    told: dict[str, Any] = {"drop": reason, "dropped_at": attempt.ended_at or now, "nth_callback": nth}
    atendimento = conversation_of_call(call.atendimento_id) if call.atendimento_id is not None else None
    after = _what_follows(attempt, atendimento, nth=nth, rules=rules)
    if after != AfterDrop.CALLBACK or atendimento is None or attempt.call_request_id is None:
        if after in {AfterDrop.LIMIT, AfterDrop.LISTED} and atendimento is not None:
            text = _("A ligação caiu (%(how)s). Não haverá outra sozinha: %(why)s.")
            note_call(atendimento.pk, text=text % {"how": reason.label, "why": after.label}, now=now)
        return told | {"after": after}
    # Before the note: whoever has taken a message's number waits for nothing.
    made = ask_again(
        attempt.call_request_id,
        phone_e164=attempt.phone_e164,
        notes=_("Retorno de uma ligação que caiu. Informe o protocolo %(protocol)s e conclua o atendimento.")
        % {"protocol": atendimento.protocol},
        attempt_id=attempt.pk,
        now=now,
        actor=actor,
    )
    text = _("A ligação caiu (%(how)s). Retorno pedido: #%(id)s.") % {"how": reason.label, "id": made.pk}
    note_call(atendimento.pk, text=text, call_request_id=made.pk, now=now)
    return told | {"after": after, "callback_request_id": made.pk}


def _nth(attempt: CallAttempt) -> int:
    """How many drops in a row there are with that of this call."""
    if attempt.call_request_id is None:
        return 1
    before = AnsweredCall.objects.filter(callback_request_id=attempt.call_request_id)
    return int(before.values_list("nth_callback", flat=True).first() or 0) + 1


def _what_follows(attempt: CallAttempt, atendimento: Atendimento | None, *, nth: int, rules: DropRules) -> AfterDrop:
    if not rules.callbacks:
        return AfterDrop.OFF
    if atendimento is None or not atendimento.is_open or attempt.call_request is None:
        return AfterDrop.CONCLUDED
    if nth > rules.callbacks:
        return AfterDrop.LIMIT
    # Who says "don't call me again" and hangs up is not called back.
    own = DoNotCallEntry.objects.filter(
        number_digest=number_digest(attempt.phone_e164), list__kind__in=INTERNAL_LISTS, added_at__gte=attempt.claimed_at
    )
    is_listed = own.filter(list__company_id=attempt.company_id).exists() or own.filter(list__company=None).exists()
    return AfterDrop.LISTED if is_listed else AfterDrop.CALLBACK
