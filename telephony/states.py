"""The states of one call attempt, the moves between them, and how news becomes a state.

    claimed ──lease over, or surely not sent──▶ released                                    (final)
       │    ──the number can't be sent at all──▶ refused                                    (final)
       │    ──the database lost some of its history──▶ in_doubt
       └──intent committed──▶ sending ──surely not sent──▶ released                          (final)
                                 │    ──refused──────────▶ refused                           (final)
                                 │    ──time-out, 5xx, worker died──▶ in_doubt ──a person: not called──▶ released
                                 │                                      │ └──the PABX's late no──▶ refused, released
                                 └──200 + id──▶ placed ◀──news─────────┘
                                                  │  └──rings──▶ ringing
                                                  ├──answers──▶ answered ──hangs up──▶ ended (answered)   (final)
                                                  └──busy, no answer, machine, no news …──▶ ended         (final)
A final state is never left. News that comes after the end may correct the *outcome* of an ended attempt, by the
one named correction (`telephony.services.events`), to what the whole set of news means.

After the intent no path leads back to a state from which the same attempt could be sent.
`project()` gives the state that a *set* of news means, so duplicates and disorder end where the orderly run ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from requests_app.states import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable


class AttemptState(models.TextChoices):
    """Where one call stands."""

    CLAIMED = "claimed", _("Reservada")
    SENDING = "sending", _("Enviando ao PABX")
    IN_DOUBT = "in_doubt", _("Em dúvida")
    PLACED = "placed", _("Discando")
    RINGING = "ringing", _("Chamando")
    ANSWERED = "answered", _("Em conversa")
    ENDED = "ended", _("Encerrada")
    REFUSED = "refused", _("Recusada")
    RELEASED = "released", _("Não enviada")


S = AttemptState

# A request has at most one attempt in one of these.
OPEN: Final = (S.CLAIMED, S.SENDING, S.IN_DOUBT, S.PLACED, S.RINGING, S.ANSWERED)
# The provider is about to dial, ringing or talking: these take up a trunk and an attendant. A call in doubt does so
# only while it may still be ringing.
OCCUPYING: Final = (S.CLAIMED, S.SENDING, S.PLACED, S.RINGING, S.ANSWERED)
# How far a call has come; news of a lower rank never overwrites a higher one.
RANK: Final[dict[str, int]] = {S.SENDING: 1, S.IN_DOUBT: 1, S.PLACED: 2, S.RINGING: 3, S.ANSWERED: 4, S.ENDED: 5}
# News about the call may arrive.
AWAITING_NEWS: Final = (S.SENDING, S.IN_DOUBT, S.PLACED, S.RINGING, S.ANSWERED)

MOVES: Final[dict[str, frozenset[str]]] = {
    S.CLAIMED: frozenset({S.SENDING, S.RELEASED, S.REFUSED, S.IN_DOUBT}),
    S.SENDING: frozenset({S.PLACED, S.RINGING, S.ANSWERED, S.ENDED, S.REFUSED, S.RELEASED, S.IN_DOUBT}),
    S.IN_DOUBT: frozenset({S.PLACED, S.RINGING, S.ANSWERED, S.ENDED, S.REFUSED, S.RELEASED}),
    S.PLACED: frozenset({S.RINGING, S.ANSWERED, S.ENDED}),
    S.RINGING: frozenset({S.ANSWERED, S.ENDED}),
    S.ANSWERED: frozenset({S.ENDED}),
    S.ENDED: frozenset(),
    S.REFUSED: frozenset(),
    S.RELEASED: frozenset(),
}


class Meaning(models.TextChoices):
    """What the carrier's word for a call's status means to us."""

    RINGING = "ringing", _("Chamando")
    ANSWERED = "answered", _("Atendeu")
    HANGUP = "hangup", _("Desligou")
    BUSY = "busy", _("Ocupado")
    NO_ANSWER = "no_answer", _("Não atendeu")
    MACHINE = "machine", _("Caixa postal")
    FAX = "fax", _("Fax")
    INVALID = "invalid", _("Número inexistente")
    CONGESTION = "congestion", _("Congestionamento")
    REJECTED = "rejected", _("Rejeitada")
    CANCELLED = "cancelled", _("Cancelada")
    FAILED = "failed", _("Falha")
    UNKNOWN = "unknown", _("Desconhecido")


class ChannelNews(models.TextChoices):
    """What an event of the PABX is about when it is not about a call; stands beside `Meaning` in its table of names."""

    OPENED = "channel_opened", _("O canal abriu (traz o channelID)")
    CLOSED = "channel_closed", _("O canal fechou")
    NOTHING = "nothing", _("Nada: guardar e ignorar")


# Where contradictory final news meet, the first in this order wins, whatever came first.
FINAL_NEWS: Final[tuple[tuple[str, Outcome], ...]] = (
    (Meaning.MACHINE, Outcome.MACHINE),
    (Meaning.FAX, Outcome.FAX),
    (Meaning.BUSY, Outcome.BUSY),
    (Meaning.INVALID, Outcome.INVALID),
    (Meaning.REJECTED, Outcome.REJECTED),
    (Meaning.CONGESTION, Outcome.CONGESTION),
    (Meaning.CANCELLED, Outcome.CANCELLED),
    (Meaning.FAILED, Outcome.FAILED),
    (Meaning.NO_ANSWER, Outcome.NO_ANSWER),
    # Hung up, and nobody said that it had been answered.
    (Meaning.HANGUP, Outcome.NO_ANSWER),
)


@dataclass(frozen=True)
class Projection:
    """The state that a set of news means; `outcome` is empty while the call is on; `conflict` = they contradict."""

    state: AttemptState
    outcome: str = ""
    conflict: bool = False


def project(meanings: Iterable[str]) -> Projection | None:
    """What a set of news about one call adds up to; None when none of it says anything.

    Depends on the set alone: the same news twice, late or in any order give the same projection; any final news
    ends the call. A machine or a fax that "answered" is no answer by a person, and no contradiction.
    """
    news = set(meanings) - {Meaning.UNKNOWN.value}
    if not news:
        return None
    ends = [(meaning, outcome) for meaning, outcome in FINAL_NEWS if meaning in news]
    # A hang-up goes with every other end.
    reasons = [meaning for meaning, _outcome in ends if meaning != Meaning.HANGUP]
    robot = bool(news & {Meaning.MACHINE.value, Meaning.FAX.value})
    if Meaning.ANSWERED in news and not robot:
        return Projection(S.ENDED if ends else S.ANSWERED, Outcome.ANSWERED, conflict=bool(reasons))
    if ends:
        return Projection(S.ENDED, ends[0][1], conflict=len(reasons) > 1)
    return Projection(S.RINGING)


class RegistrationState(models.TextChoices):
    """How far one callback address is at the carrier; it is accepted in every state but the last.

    prepared ──intent──▶ registering ──its code──▶ registered ──listed there──▶ verified ──a newer one is──┐
       ▲  ▲                  │  └──left half done──▶ (listed: registered, else registered anew)            │
       │  └────it said no────┘                          │                          │                       ▼
       └────────────not listed there any more───────────┴──◀──registered◀──────────┘     removing ──gone──▶ removed
    """

    PREPARED = "prepared", _("Preparado")
    REGISTERING = "registering", _("Sendo registrado")
    REGISTERED = "registered", _("Registrado, a conferir")
    VERIFIED = "verified", _("Em uso")
    REMOVING = "removing", _("Sendo removido")
    REMOVED = "removed", _("Removido")


UNFINISHED_REGISTRATIONS: Final = (
    RegistrationState.PREPARED,
    RegistrationState.REGISTERING,
    RegistrationState.REGISTERED,
)
REGISTRATION_MOVES: Final[dict[str, frozenset[str]]] = {
    RegistrationState.PREPARED: frozenset({RegistrationState.REGISTERING, RegistrationState.REMOVED}),
    RegistrationState.REGISTERING: frozenset(
        {RegistrationState.REGISTERED, RegistrationState.PREPARED, RegistrationState.REMOVING}
    ),
    RegistrationState.REGISTERED: frozenset(
        {RegistrationState.VERIFIED, RegistrationState.PREPARED, RegistrationState.REMOVING}
    ),
    RegistrationState.VERIFIED: frozenset({RegistrationState.REGISTERED, RegistrationState.REMOVING}),
    RegistrationState.REMOVING: frozenset({RegistrationState.REMOVED}),
    RegistrationState.REMOVED: frozenset(),
}


class RegistrationProblem(models.TextChoices):
    """Why a step of a registration did not end well, or what is to be known of one that did."""

    NOT_SENT = "not_sent", _("sem conexão com a operadora")
    UNAVAILABLE = "unavailable", _("a operadora não pode atender agora")
    REFUSED = "refused", _("a operadora recusou o pedido")
    UNAUTHORIZED = "unauthorized", _("a operadora recusou as credenciais")
    MISCONFIGURED = "misconfigured", _("endereço, saldo ou conta da operadora")
    AMBIGUOUS = "ambiguous", _("a operadora não respondeu como devia")
    NOT_LISTED = "not_listed", _("não está mais na lista da operadora")
    SELF_TEST_REFUSED = "self_test_refused", _("o nosso próprio endereço não o aceita: confira PUBLIC_URL")
    UNREACHABLE = "unreachable", _("o teste de entrega não chegou até nós; a operadora talvez chegue")


class InquiryState(models.TextChoices):
    """How far asking the carrier about one call is."""

    WAITING = "waiting", _("A perguntar")
    SETTLED = "settled", _("Esclarecida")
    AMBIGUOUS = "ambiguous", _("Mais de uma chamada serve, ou elas se contradizem")
    NOT_FOUND = "not_found", _("A operadora não conhece esta chamada")


class DropReason(models.TextChoices):
    """By what an answered call is known to have been cut off."""

    NETWORK = "network", _("A rede a cortou")
    SHORT = "short", _("Durou poucos segundos")
    PERSON = "person", _("Uma pessoa disse")


class AfterDrop(models.TextChoices):
    """What followed from a dropped call."""

    CALLBACK = "callback", _("Retorno pedido")
    CONCLUDED = "concluded", _("O atendimento já estava concluído")
    LIMIT = "limit", _("Limite de retornos seguidos")
    LISTED = "listed", _("O cliente pediu para não receber ligações")
    OFF = "off", _("A empresa não quer retorno")


# After the customer had answered, these mean that the network and neither of the two ended the talk.
CUTS: Final = frozenset({Meaning.FAILED.value, Meaning.CONGESTION.value})


class LineHold(models.TextChoices):
    """Why a line starts no call now, from what takes a person's work to what passes by itself."""

    NONE = "", _("Pode discar")
    NO_LINE = "no_line", _("A empresa não tem linha de discagem")
    COMPANY_INACTIVE = "company_inactive", _("A empresa está inativa")
    ALL_STOPPED = "all_stopped", _("O discador inteiro está desligado")
    DISABLED = "disabled", _("A linha está desligada")
    SUSPENDED = "suspended", _("A linha foi suspensa pelo sistema: confira credenciais e endereço")
    NO_CHANNEL = "no_channel", _("A linha não tem canal de eventos")
    BREAKER = "breaker", _("O PABX da linha falhou várias vezes seguidas: o disjuntor abriu")
    NO_ATTENDANT = "no_attendant", _("Nenhum atendente disponível")
    CLOSED = "closed", _("A linha está fora do horário")
    LIMIT = "limit", _("O limite de chamadas de uma regra foi atingido")
    LINE_BUSY = "line_busy", _("A linha está com todas as chamadas ocupadas")
    ATTENDANTS_BUSY = "attendants_busy", _("Todos os atendentes estão em chamada")
    PACED = "paced", _("A linha espera o intervalo entre chamadas")


# What may be commanded: the PABX has the call, as far as we know.
COMMANDABLE: Final = (S.IN_DOUBT, S.PLACED, S.RINGING, S.ANSWERED)


class CommandKind(models.TextChoices):
    """What a person may have the PABX do with a call under way."""

    FINISH = "finish", _("Encerrar")
    TRANSFER = "transfer", _("Transferir")
    REDIRECT = "redirect", _("Desviar na fila")
    ASSOCIATE = "associate", _("Associar dados")


class CommandOutcome(models.TextChoices):
    """What became of a command; `SENT` remains where the process died before it knew."""

    SENT = "sent", _("Enviado, sem resposta anotada")
    DONE = "done", _("O PABX aceitou")
    REFUSED = "refused", _("O PABX recusou")
    NOT_SENT = "not_sent", _("Não enviado: sem conexão com o PABX")
    UNKNOWN = "unknown", _("Sem resposta segura: pode ter sido feito")


class ChannelState(models.TextChoices):
    """How far a line's event channel is.

    closed ──somebody reads it──▶ connecting ──its opening event──▶ open
       ▲                             ▲  │ └──it failed──▶ waiting ◀──lost──┘
       └──the reader went away───────┘  └──────next try─────┘
    """

    CLOSED = "closed", _("Fechado")
    CONNECTING = "connecting", _("Abrindo")
    OPEN = "open", _("Aberto")
    WAITING = "waiting", _("Falhou; tenta de novo")


class ChannelProblem(models.TextChoices):
    """Why a channel is not open, or was lost the last time."""

    NO_PATH = "no_path", _("falta o endereço do canal (DIGITRO_EVENTS_PATH)")
    SECRET_UNREADABLE = "secret_unreadable", _("as credenciais da linha não podem ser lidas")
    NOT_REACHED = "not_sent", _("sem conexão com o PABX")
    UNAUTHORIZED = "unauthorized", _("o PABX recusou a chave")
    MISCONFIGURED = "misconfigured", _("endereço errado: a resposta não é um canal de eventos")
    REFUSED = "refused", _("o PABX recusou abrir o canal")
    UNAVAILABLE = "unavailable", _("o PABX respondeu com erro")
    NO_OPENING = "no_opening", _("o PABX não disse o channelID a tempo")
    BAD_OPENING = "bad_opening", _("o evento de abertura não traz um channelID")
    SILENT = "silent", _("o canal ficou em silêncio")
    CUT = "cut", _("a conexão caiu")
    CLOSED = "closed_by_pabx", _("o PABX fechou o canal")
    NOT_STORED = "not_stored", _("o banco de dados não guardou um evento")
    LEASE_LOST = "lease_lost", _("outro processo assumiu o canal")
    INTERNAL = "internal_error", _("erro interno; veja o log")


class BreakerState(models.TextChoices):
    """A line's circuit breaker.

    closed ──failures in a row──▶ open ──its time is over: one call tries──▶ half_open ──it went well──▶ closed
                                    ▲                                            │
                                    └──────────────it failed, wait longer────────┘
    """

    CLOSED = "closed", _("Fechado: discando")
    OPEN = "open", _("Aberto: parado por falhas")
    HALF_OPEN = "half_open", _("Em teste: uma chamada por vez")


class SwitchReason(models.TextChoices):
    """Why a switch was turned."""

    PERSON = "person", _("Por uma pessoa")
    RESTORED = "restored", _("O banco voltou a um estado anterior")
    FAILED_OVER = "failed_over", _("O banco está em outro servidor")


class Promise(models.TextChoices):
    """What the dialer promises, as the nightly check asks for it."""

    SENT_ONCE = "sent_once", _("Uma tentativa é enviada no máximo uma vez")
    ONE_PER_NUMBER = "one_per_number", _("Um número tem no máximo uma chamada aberta")
    DOUBT_STAYS = "doubt_stays", _("Uma dúvida não é discada de novo sem decisão registrada")
    NEWS_COUNT = "news_count", _("O resultado é o que as notícias da operadora dizem")
    NEWS_APPLIED = "news_applied", _("Nenhuma notícia recebida fica sem ser lida")
    WAY_ON = "way_on", _("Todo pedido aberto tem chamada, horário ou motivo")
    LEDGER = "ledger", _("Toda tentativa tem o histórico que a explica")
    NOTHING_HANGS = "nothing_hangs", _("Nenhuma chamada fica parada além do seu tempo")


class MoveReason(models.TextChoices):
    """Why an attempt moved, where neither the carrier's news nor an outcome says it."""

    # Stands in entries of before claims were told by the request's ledger alone.
    DUE = "due", _("O pedido estava na hora")
    INTENT = "intent", _("Intenção gravada, ligação a caminho")
    ACCEPTED = "accepted", _("O PABX aceitou a chamada")
    LEASE_OVER = "lease_over", _("O processo que a tinha parou antes de enviar")
    LEASE_OVER_SENDING = "lease_over_sending", _("O processo que a enviava parou: não se sabe se tocou")
    STALE = "stale", _("Demorou demais para enviar; nada foi enviado")
    WITHDRAWN = "withdrawn", _("O pedido foi encerrado antes do envio")
    HELD = "held", _("A linha parou antes do envio")
    NOT_PERMITTED = "not_permitted", _("Uma regra ou lista impediu a ligação antes do envio")
    ALL_STOPPED = "all_stopped", _("O discador foi desligado antes do envio")
    BREAKER = "breaker", _("O disjuntor da linha abriu antes do envio")
    NOT_SENT = "not_sent", _("Sem conexão com o PABX; nada foi enviado")
    REFUSED = "refused", _("O PABX recusou o pedido")
    UNAUTHORIZED = "unauthorized", _("O PABX recusou as credenciais")
    MISCONFIGURED = "misconfigured", _("Endereço ou canal errado")
    CHANNEL_LOST = "channel_lost", _("O canal de eventos caiu durante o envio; o PABX recusou, ninguém foi chamado")
    AMBIGUOUS = "ambiguous", _("Sem resposta segura do PABX: não se sabe se tocou")
    DUPLICATE_ID = "duplicate_id", _("O PABX repetiu um ID_CHAMADA")
    ASKED_STATUS = "asked_status", _("A operadora, perguntada, disse como a chamada está")
    ASKED_STATEMENT = "asked_statement", _("O extrato da operadora diz o que houve")
    SAID_CALLED = "said_called", _("Uma pessoa disse que a ligação aconteceu")
    SAID_NOT_CALLED = "said_not_called", _("Uma pessoa disse que a ligação não aconteceu")
    NO_NEWS = "no_news", _("A operadora não deu notícia a tempo")
    HISTORY_LOST = "history_lost", _("O banco voltou no tempo: não se sabe se foi enviada")
