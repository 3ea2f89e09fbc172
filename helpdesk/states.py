"""The states of an atendimento, the moves between them, and every enumeration of the helpdesk.

                    ┌───────────── forwarded to a team, the bot gives up ─────────────┐
                    ▼                                                                  │
    opened ──▶ queued ──a bot or IA is put in charge──▶ automatic ──a person takes it──┤
                 │  │                                      │                           │
                 │  └──────taken, assigned, forwarded──────┴──▶ assigned ──starts──▶ in_service
                 │                                                 ▲                   │
                 │                                                 └─to another person─┤
                 └───────────────── closed, from any of them ──▶ closed ◀──────────────┘

`closed` is final. Only the named correction `REOPENINGS` leaves it, and only a person or Salvar asks for that.
Whether the requester waits (`is_waiting`) is apart from the state: the requester wrote last, or automation gave up.

The numbers are what travels by default; a `WireCode` row gives an installation others.
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AtendimentoState(models.TextChoices):
    """Where one conversation stands."""

    QUEUED = "queued", _("Na fila")
    AUTOMATIC = "automatic", _("Automático")
    ASSIGNED = "assigned", _("Atribuído")
    IN_SERVICE = "in_service", _("Em atendimento")
    CLOSED = "closed", pgettext_lazy("atendimento", "Concluído")


S = AtendimentoState

OPEN: Final = (S.QUEUED, S.AUTOMATIC, S.ASSIGNED, S.IN_SERVICE)
# A person holds it.
HELD: Final = (S.ASSIGNED, S.IN_SERVICE)

MOVES: Final[dict[str, frozenset[str]]] = {
    S.QUEUED: frozenset({S.QUEUED, S.AUTOMATIC, S.ASSIGNED, S.IN_SERVICE, S.CLOSED}),
    S.AUTOMATIC: frozenset({S.QUEUED, S.AUTOMATIC, S.ASSIGNED, S.IN_SERVICE, S.CLOSED}),
    S.ASSIGNED: frozenset({S.QUEUED, S.AUTOMATIC, S.ASSIGNED, S.IN_SERVICE, S.CLOSED}),
    # To itself: Salvar gives it to another person, who serves on.
    S.IN_SERVICE: frozenset({S.QUEUED, S.AUTOMATIC, S.ASSIGNED, S.IN_SERVICE, S.CLOSED}),
    S.CLOSED: frozenset(),
}
# The one named correction.
REOPENINGS: Final[dict[str, frozenset[str]]] = {S.CLOSED: frozenset({S.QUEUED, S.AUTOMATIC, S.ASSIGNED, S.IN_SERVICE})}


class Platform(models.IntegerChoices):
    """The medium, on our side (Plataforma) and on the requester's (PlataformaFormaContato)."""

    SITE_CHAT = 1, _("Chat do site")
    WHATSAPP = 2, "WhatsApp"
    EMAIL = 3, _("E-mail")
    PHONE = 4, _("Telefone")
    SMS = 5, "SMS"
    MESSENGER = 6, "Facebook Messenger"
    INSTAGRAM = 7, "Instagram"
    TELEGRAM = 8, "Telegram"
    INTERNAL = 9, _("Chat interno")
    OTHER = 10, _("API/Outros")


# Their addresses are phone numbers.
PHONE_PLATFORMS: Final = (Platform.WHATSAPP, Platform.PHONE, Platform.SMS)


class AttendantKind(models.IntegerChoices):
    """Who writes on our side (TipoAtendente)."""

    HUMAN = 1, _("Humano")
    BOT = 2, "Bot"
    IA = 3, _("IA")


AUTOMATIONS: Final = (AttendantKind.BOT, AttendantKind.IA)


class Category(models.IntegerChoices):
    """What an atendimento is about (Categoria)."""

    UNSORTED = 0, _("Não classificado")
    QUESTION = 1, _("Dúvida")
    SUPPORT = 2, _("Suporte")
    SALES = 3, _("Comercial")
    BILLING = 4, _("Financeiro")
    COMPLAINT = 5, _("Reclamação")
    OTHER = 6, _("Outros")


class OccurrenceCategory(models.IntegerChoices):
    """What happened, or what is to be done (LogOcorrencia.Categoria)."""

    NEW = 1, _("Novo atendimento")
    NO_ATTENDANT = 2, _("Sem atendente")
    FIRST_REPLY = 3, _("Resposta inicial bot/IA")
    AUTO_REPLY = 4, _("Resposta automática")
    DATA_COLLECTION = 5, _("Coleta de dados IA")
    SCHEDULED = 6, _("Mensagem agendada")
    FORWARDED = 7, _("Encaminhamento")
    STARTED = 8, _("Início")
    CLOSED = 9, _("Encerramento")
    DELIVERY_FAILED = 10, _("Falha de envio")
    DELETED = 11, _("Exclusão")


class OccurrenceStatus(models.IntegerChoices):
    """How far an occurrence is as a work item (LogOcorrencia.CodigoStatus)."""

    PENDING = 0, _("Pendente")
    DONE = 1, _("Processada")
    ERROR = 2, pgettext_lazy("ocorrência", "Erro")
    SKIPPED = 3, _("Ignorada")


class Presence(models.TextChoices):
    """Whether conversations may be given to an attendant now."""

    OFFLINE = "offline", _("Fora")
    ONLINE = "online", _("On-line")
    PAUSED = "paused", _("Em pausa")


class Delivery(models.TextChoices):
    """How far a message is on its way to the requester."""

    NONE = "none", _("Não é enviada")
    PENDING = "pending", _("A enviar")
    SENT = "sent", _("Enviada")
    FAILED = "failed", _("Não enviada")


class ScheduledState(models.TextChoices):
    """What became of a message for later."""

    PENDING = "pending", _("Agendada")
    SENT = "sent", _("Enviada")
    CANCELLED = "cancelled", _("Cancelada")
    FAILED = "failed", _("Não enviada")


SCHEDULED_MOVES: Final[dict[str, frozenset[str]]] = {
    ScheduledState.PENDING: frozenset({ScheduledState.SENT, ScheduledState.CANCELLED, ScheduledState.FAILED}),
    ScheduledState.SENT: frozenset(),
    ScheduledState.CANCELLED: frozenset(),
    ScheduledState.FAILED: frozenset(),
}


class TransferReason(models.TextChoices):
    """Why a conversation changed hands."""

    TAKEN = "taken", _("Pego pela pessoa")
    FORWARDED = "forwarded", _("Encaminhado por uma pessoa")
    ASSIGNED = "assigned", _("Distribuído ao menos ocupado")
    NO_ANSWER_NEXT = "no_answer_next", _("Sem resposta: passou ao próximo disponível")
    NO_ANSWER_QUEUE = "no_answer_queue", _("Sem resposta: voltou à fila")
    NO_ANSWER_SUPERVISOR = "no_answer_supervisor", _("Sem resposta: passou ao supervisor")
    BOT_HANDOVER = "bot_handover", _("O bot passou a uma pessoa")
    IA_HANDOVER = "ia_handover", _("A IA passou a uma pessoa")
    SAVED = "saved", _("Alterado pelo cadastro")


class FlowAction(models.TextChoices):
    """What choosing an option of a bot's step does."""

    STEP = "step", _("Ir para outra mensagem")
    HANDOVER = "handover", _("Passar a uma pessoa")
    CLOSE = "close", _("Encerrar o atendimento")


class Adapter(models.TextChoices):
    """How a channel's messages leave."""

    NONE = "none", _("Nada sai (só pela API)")
    SITE_CHAT = "site_chat", _("Chat do site")
    EMAIL = "email", _("E-mail")
    WEBHOOK = "webhook", _("Webhook de saída")


class ClosedWith(models.TextChoices):
    """Who or what closed an atendimento; empty while it is open."""

    PERSON = "person", _("Pessoa")
    BOT = "bot", "Bot"
    INACTIVITY = "inactivity", _("Inatividade")
    API = "api", "API"
