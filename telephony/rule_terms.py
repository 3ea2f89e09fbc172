"""The words of calling rules: levels, activities, lists, grounds; the choices that staff read."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from callcenter.accounts.data import Activity as Activity


class Level(models.TextChoices):
    """Whose rule it is; `FOREIGN` is kept for reference and never applied."""

    FEDERAL = "federal", _("Federal")
    STATE = "state", _("Estadual")
    CITY = "city", _("Municipal")
    CONTRACT = "contract", _("Contrato")
    COMPANY = "company", _("Empresa ou campanha")
    CONTACT = "contact", _("Preferência do contato")
    FOREIGN = "foreign", _("Estrangeira (só referência)")


class Sector(models.TextChoices):
    """The trade of who calls, where a rule asks for it."""

    OTHER = "other", pgettext_lazy("setor", "Outro")
    TELECOM = "telecom", _("Telecomunicações")
    PAYROLL_LOANS = "payroll_loans", _("Crédito consignado")


class Exemption(models.TextChoices):
    """A kind of call that some rules leave out."""

    NONE = "", _("Nenhuma")
    CHARITY = "charity", _("Entidade filantrópica")
    SURVEY_WITHOUT_OFFER = "survey_without_offer", _("Pesquisa sem oferta")
    EXISTING_CLIENT = "existing_client", _("Atendimento a quem já é cliente")
    DATA_CONFIRMATION = "data_confirmation", _("Confirmação de dados")
    FRAUD_PREVENTION = "fraud_prevention", _("Prevenção a fraude")
    PORTABILITY_RETENTION = "portability_retention", _("Retenção em pedido de portabilidade")


class OriginKind(models.TextChoices):
    """What sort of number a line shows to whom it calls."""

    COMMON = "common", pgettext_lazy("número", "Comum")
    TELEMARKETING = "0303", _("0303 (telemarketing)")
    COLLECTION = "0304", _("0304 (cobrança)")
    AUTHENTICATED = "authenticated", _("Autenticado (Origem Verificada)")


class ListKind(models.TextChoices):
    """A kind of list of people who don't want to be called."""

    INTERNAL = "internal", _("Interna: pediu para não ser chamado")
    WRONG_PERSON = "wrong_person", _("Interna: pessoa errada")
    NAO_ME_PERTURBE = "nao_me_perturbe", _("Não Me Perturbe")
    PROCON_SP = "procon_sp", _("Não Me Ligue (Procon-SP)")
    PROCON_PR = "procon_pr", _("Procon-PR")
    PROCON_RS = "procon_rs", _("Procon-RS")
    PROCON_SC = "procon_sc", _("Procon-SC")
    PROCON_MG = "procon_mg", _("Procon-MG")
    RIO_CITY = "rio_city", _("Município do Rio de Janeiro")
    INSS_OPT_OUT = "inss_opt_out", _("INSS: não quer oferta de consignado")
    INSS_NEW_BENEFIT = "inss_new_benefit", _("INSS: benefício recém-concedido")


# Our own lists: nobody outside can authorise a call to someone on these.
INTERNAL_LISTS: Final = (ListKind.INTERNAL, ListKind.WRONG_PERSON)

# What gets a number onto these can happen to it again, and their term then runs anew.
RENEWED_LISTS: Final = (ListKind.INSS_NEW_BENEFIT,)


class Holidays(models.TextChoices):
    """What a rule says of holidays."""

    AS_USUAL = "usual", pgettext_lazy("feriado", "Como nos outros dias")
    CLOSED = "closed", _("Não se liga em feriado")


class Severity(models.TextChoices):
    """What an objection does."""

    BLOCK = "block", _("Impede a ligação")
    WARN = "warn", _("Só avisa")


class Ground(models.TextChoices):
    """What a rule objects to."""

    HOURS = "hours", _("fora do horário")
    HOLIDAY = "holiday", _("feriado")
    CAP = "cap", _("limite de ligações no dia")
    LISTED = "listed", _("número em lista de não ligar")
    LISTS_UNREADABLE = "lists_unreadable", _("as listas de não ligar não podem ser lidas")


class Effect(models.TextChoices):
    """What becomes of an objection."""

    BLOCKS = "blocks", _("impede")
    LIFTED = "lifted", _("afastada pelo pedido do cliente")
    AUTHORISED = "authorised", _("afastada por autorização")
    WARNS = "warns", _("só avisa")
