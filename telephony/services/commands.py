"""What a person may have the PABX do with a call under way: written down, sent once, and its answer written down."""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, NotFound
from telephony.models import CallAttempt, CallCommand
from telephony.models.commands import DEVICE_PATTERN
from telephony.providers.base import Ambiguous, NotSent, ProviderError
from telephony.providers.digitro.client import DigitroClient
from telephony.selectors import channel_in_use
from telephony.services.lines import access_of
from telephony.states import COMMANDABLE, CommandKind, CommandOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from callcenter.accounts.models import User
    from telephony.models import DialerLine

log = logging.getLogger(__name__)

DATA_LENGTH: Final = 160


def slug_of(kind: CommandKind) -> str:
    """The operation's slug of this installation; empty = it is not known, so the command is not offered."""
    slugs: dict[str, str] = {
        CommandKind.FINISH: settings.DIGITRO_FINISH_SLUG,
        CommandKind.TRANSFER: settings.DIGITRO_TRANSFER_SLUG,
        CommandKind.REDIRECT: settings.DIGITRO_REDIRECT_SLUG,
        CommandKind.ASSOCIATE: settings.DIGITRO_ASSOCIATE_SLUG,
    }
    return slugs[kind]


def offered_commands(attempt: CallAttempt) -> list[CommandKind]:
    """What may be commanded about this call now."""
    if attempt.state not in COMMANDABLE or not attempt.provider_call_id:
        return []
    return [kind for kind in CommandKind if slug_of(kind)]


def client_of(line: DialerLine) -> DigitroClient:
    """A client that commands through the line."""
    return DigitroClient(
        access_of(line),
        connect_timeout_seconds=settings.DIGITRO_CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=settings.DIGITRO_READ_TIMEOUT_SECONDS,
    )


def command_call(
    attempt_id: int,
    kind: CommandKind,
    *,
    argument: str = "",
    priority: int = 0,
    actor: User | None,
    scope: Iterable[int] | None,
    now: datetime,
) -> CallCommand:
    """The command with what became of it. The attempt itself moves by the PABX's events alone.

    Shape: `argument` is the device to hand over to, or the data; `priority` 0 (first) to 19, for the queue.
    Errors: `NotFound`; `Conflict` when it can't be given now, with the reason for people; nothing is sent then.
    Effects: a row before the POST, so that one whose answer never came is not forgotten. Never sent twice by itself.
    """
    attempt = _attempt(attempt_id, scope=scope)
    if kind not in offered_commands(attempt):
        raise Conflict(_("A chamada não está em curso, ou este comando não está configurado."))
    if channel_in_use(attempt.line, now=now) is None:
        raise Conflict(_("A linha não tem canal de eventos; o PABX não aceita comandos."))
    argument = _checked(kind, argument, priority=priority)
    command = CallCommand.objects.create(attempt=attempt, kind=kind, argument=argument, actor=actor, at=now)
    try:
        _sender(kind, attempt, argument=argument, priority=priority)()
    except ProviderError as error:
        log.warning("attempt %s: %s: %s (%s)", attempt.pk, kind.value, error.code, error.message)
        command.outcome, command.error_status = outcome_of(error), error.status_code
    else:
        command.outcome = CommandOutcome.DONE
    command.save(update_fields=["outcome", "error_status"])
    return command


def outcome_of(error: ProviderError) -> CommandOutcome:
    """What a failure says about the command."""
    if isinstance(error, Ambiguous) or error.may_have_happened:
        return CommandOutcome.UNKNOWN
    return CommandOutcome.NOT_SENT if isinstance(error, NotSent) else CommandOutcome.REFUSED


def _attempt(attempt_id: int, *, scope: Iterable[int] | None) -> CallAttempt:
    visible = CallAttempt.objects.filter(pk=attempt_id)
    if scope is not None:
        visible = visible.filter(company_id__in=list(scope))
    attempt = visible.select_related("line__event_channel").first()
    if attempt is None:
        raise NotFound("There is no such attempt.")
    return attempt


def _checked(kind: CommandKind, argument: str, *, priority: int) -> str:
    argument = argument.strip()
    if kind in {CommandKind.TRANSFER, CommandKind.REDIRECT} and not re.fullmatch(DEVICE_PATTERN, argument):
        raise Conflict(_("Informe o ramal ou a fila de destino, só com algarismos, * e #."))
    if kind == CommandKind.REDIRECT and not 0 <= priority <= 19:
        raise Conflict(_("A prioridade vai de 0 (primeiro da fila) a 19."))
    if kind == CommandKind.ASSOCIATE and not (argument.isprintable() and 0 < len(argument) <= DATA_LENGTH):
        raise Conflict(_("Os dados têm de 1 a %(most)s caracteres, em uma linha.") % {"most": DATA_LENGTH})
    return "" if kind == CommandKind.FINISH else argument


def _sender(kind: CommandKind, attempt: CallAttempt, *, argument: str, priority: int) -> Callable[[], None]:
    client, call_id, slug = client_of(attempt.line), attempt.provider_call_id, slug_of(kind)
    match kind:
        case CommandKind.FINISH:
            return partial(client.finish_call, call_id, slug=slug)
        case CommandKind.TRANSFER:
            return partial(client.transfer_call, call_id, to_device=argument, slug=slug)
        case CommandKind.REDIRECT:
            return partial(client.redirect_in_queue, call_id, to_device=argument, priority=priority, slug=slug)
    # Our token stays in front: by it the call's events are known.
    return partial(client.associate_data, call_id, data=f"{attempt.token.hex};{argument}", slug=slug)
