"""The states of a call request, why it is not being dialed, and the outcomes that a call can report.

           ┌────────────── a person or the shop moves it to any state, at any time ──────────────┐
           ▼                                                                                      │
    new ──first call placed──▶ in_progress ──answered call ended, or a person says so──▶ completed
                                    │  ▲
                                    │  └── busy, no answer …: waits for its next try (due_at)
                                    └── out of tries ──▶ no_answer ──late news "answered"──▶ completed

Late news of a call undoes what that call brought (completed, no_answer), and nothing that a person decided.

A request is *open* while new or in_progress. An open request always has one of: a call in flight (`in_flight`),
a next time (`due_at`), or a hold reason that asks for a person.
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """CS-Cart's four statuses, in the order in which CS-Cart sorts them."""

    NEW = "new", _("Novo")
    IN_PROGRESS = "in_progress", _("Em andamento")
    COMPLETED = "completed", _("Concluído")
    NO_ANSWER = "no_answer", _("Sem resposta")


OPEN: Final = (Status.NEW, Status.IN_PROGRESS)

# CS-Cart lets the shop move a request from any state to any other; so may staff.
MOVES: Final = {status.value: frozenset(other.value for other in Status if other != status) for status in Status}


class Priority(models.IntegerChoices):
    """Venddor's priorities; the higher is dialed first."""

    LOW = 0, _("Baixa")
    NORMAL = 1, _("Normal")
    HIGH = 2, _("Alta")
    URGENT = 3, _("Urgente")


class Hold(models.TextChoices):
    """Why a request is not being dialed at this moment; empty = it is due and only waits for a free line."""

    NONE = "", _("Na fila do discador")
    WANTED_TIME = "wanted_time", _("Aguarda o horário pedido")
    CONTACT_WINDOW = "contact_window", _("Fora do horário de contato do cliente")
    CALLING_HOURS = "calling_hours", _("Fora do horário em que as regras deixam ligar")
    DAILY_CAP = "daily_cap", _("O número já recebeu as ligações permitidas hoje")
    DO_NOT_CALL = "do_not_call", _("O número está em uma lista de não ligar")
    RULES = "rules", _("As regras de ligação não deixam ligar: uma pessoa precisa decidir")
    RETRY_WAIT = "retry_wait", _("Aguarda a próxima tentativa")
    POSTPONED = "postponed", _("Adiado: o cliente foi atendido ou pediu mais tarde")
    IN_FLIGHT = "in_flight", _("Chamada em curso")
    IN_DOUBT = "in_doubt", _("Chamada em dúvida: uma pessoa precisa decidir")
    AWAITING_DISPOSITION = "awaiting_disposition", _("Atendida: aguarda o desfecho do atendente")
    WITH_PERSON = "with_person", _("Com uma pessoa, fora do discador")
    OUT_OF_TRIES = "out_of_tries", _("Tentativas esgotadas")
    FINISHED = "finished", _("Encerrado")
    REFUSED = "refused", _("O PABX recusou a chamada: confira os dados")
    NO_PHONE = "no_phone", _("Não há número de telefone")
    NOT_A_NUMBER = "not_a_number", _("O telefone não é um número")
    NOT_BRAZILIAN = "not_brazilian", _("O número não é brasileiro")
    NO_AREA_CODE = "no_area_code", _("Falta o DDD no telefone")
    INVALID_NUMBER = "invalid_number", _("Número inválido no plano brasileiro")
    SERVICE_NUMBER = "service_number", _("Número de emergência, de serviço ou tarifado")


# What a list or a rule did, and undoes when it changes or ends.
HELD_BY_RULES: Final = (Hold.DO_NOT_CALL, Hold.RULES)


class Outcome(models.TextChoices):
    """What became of one call; telephony reports it, the request remembers the last."""

    ANSWERED = "answered", _("Atendida")
    BUSY = "busy", _("Ocupado")
    NO_ANSWER = "no_answer", _("Não atendeu")
    MACHINE = "machine", _("Caixa postal")
    FAX = "fax", _("Fax")
    INVALID = "invalid", _("Número inexistente")
    CONGESTION = "congestion", _("Congestionamento")
    REJECTED = "rejected", _("Rejeitada")
    CANCELLED = "cancelled", _("Cancelada")
    FAILED = "failed", _("Falha na rede")
    NO_NEWS = "no_news", _("Sem notícia da operadora")
    NOT_SENT = "not_sent", _("Não enviada ao PABX")
    REFUSED = "refused", _("Recusada pelo PABX")
    NOT_PLACED = "not_placed", _("Não realizada (decidido por uma pessoa)")


class Source(models.TextChoices):
    """The door through which a change came."""

    CSCART = "cscart", "CS-Cart"
    VENDDOR = "venddor", "Venddor"
    ADMIN = "admin", _("Painel")
    DIALER = "dialer", _("Discador")
    CARRIER = "carrier", _("Operadora")
    IMPORT = "import", _("Importação")
    HELPDESK = "helpdesk", _("Atendimento")


class Reach(models.TextChoices):
    """How a customer was reached otherwise than by the dialer's call."""

    INBOUND_CALL = "reached_inbound", _("O cliente ligou")
    ATENDIMENTO = "reached_helpdesk", _("O cliente foi atendido em outro canal")


class ReachAction(models.TextChoices):
    """What a company does with the open request of a customer who was reached otherwise."""

    NOTHING = "nothing", _("Nada: o discador liga assim mesmo")
    CLOSE = "close", _("Concluir o pedido")
    POSTPONE = "postpone", _("Adiar a ligação")


class MissedAction(models.TextChoices):
    """What a company does with a callback whose time passed without a call."""

    RETRY_NOW = "retry_now", _("Ligar agora, com prioridade alta")
    NEXT_DAY = "next_day", _("Marcar para o dia seguinte, no mesmo horário")
    REASSIGN = "reassign", _("Passar para um atendente")
    CLOSE = "close", _("Encerrar sem resposta")


class Weekday(models.IntegerChoices):
    """Python's weekday numbers."""

    MONDAY = 0, _("Segunda-feira")
    TUESDAY = 1, _("Terça-feira")
    WEDNESDAY = 2, _("Quarta-feira")
    THURSDAY = 3, _("Quinta-feira")
    FRIDAY = 4, _("Sexta-feira")
    SATURDAY = 5, _("Sábado")
    SUNDAY = 6, _("Domingo")
