"""What automations know: the bot's flows of steps and options, and the IA's articles."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from helpdesk.models.base import Record
from helpdesk.models.people import Team
from helpdesk.querysets import CompanyQuerySet
from helpdesk.states import FlowAction


class BotFlow(Record):
    """What a bot says, step by step, from `first_step` on.

    After `misses_allowed` answers in a row that no option fits the bot hands over; until then it says `not_understood`.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    title = models.CharField(_("título"), max_length=120)
    is_active = models.BooleanField(_("ativo"), default=True)
    first_step = models.ForeignKey(
        "helpdesk.FlowStep",
        verbose_name=_("primeiro passo"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    misses_allowed = models.PositiveSmallIntegerField(_("respostas não entendidas antes de passar"), default=2)
    not_understood = models.TextField(_("texto quando não entende"), blank=True)
    handover_text = models.TextField(_("texto ao passar a uma pessoa"), blank=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("fluxo do bot")
        verbose_name_plural = _("fluxos do bot")
        ordering: ClassVar = ["title"]

    def __str__(self) -> str:
        return self.title


class FlowStep(Record):
    """One message of a flow, and the options that may follow (AtendimentoFluxoMensagem).

    Without options: `after` says what happens once it was said (`STEP` needs `next_step`).
    """

    flow = models.ForeignKey(BotFlow, verbose_name=_("fluxo"), on_delete=models.CASCADE, related_name="steps")
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField(_("posição"), default=0)
    title = models.CharField(_("título"), max_length=120)
    text = models.TextField(_("texto"))
    after = models.CharField(_("depois"), max_length=8, choices=FlowAction, blank=True)
    next_step = models.ForeignKey(
        "self", verbose_name=_("próximo passo"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey(
        Team, verbose_name=_("equipe"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("passo do fluxo")
        verbose_name_plural = _("passos do fluxo")
        ordering: ClassVar = ["flow", "position"]
        indexes: ClassVar = [models.Index(fields=["flow", "position"], name="flow_step_order")]

    def __str__(self) -> str:
        return self.title


class FlowOption(models.Model):
    """One answer that a step understands: its number in the list, its label, or one of its words.

    `keywords` are separated by commas. `team` = to whom a hand-over goes; empty = the channel's team.
    """

    step = models.ForeignKey(FlowStep, verbose_name=_("passo"), on_delete=models.CASCADE, related_name="options")
    position = models.PositiveSmallIntegerField(_("número"), default=1)
    label = models.CharField(_("opção"), max_length=120)
    keywords = models.CharField(_("outras palavras"), max_length=255, blank=True)
    action = models.CharField(_("ação"), max_length=8, choices=FlowAction, default=FlowAction.STEP)
    next_step = models.ForeignKey(
        FlowStep,
        verbose_name=_("próximo passo"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reached_by",
    )
    team = models.ForeignKey(
        Team, verbose_name=_("equipe"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("opção do passo")
        verbose_name_plural = _("opções do passo")
        ordering: ClassVar = ["step", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["step", "position"], name="flow_option_position_unique"),
        ]

    def __str__(self) -> str:
        return self.label


class KnowledgeArticle(Record):
    """A text of the company from which the IA may answer, and which it names as its source."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    title = models.CharField(_("título"), max_length=160)
    body = models.TextField(_("texto"))
    keywords = models.CharField(_("palavras-chave"), max_length=255, blank=True)
    is_active = models.BooleanField(_("ativo"), default=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("artigo de conhecimento")
        verbose_name_plural = _("artigos de conhecimento")
        ordering: ClassVar = ["title"]
        indexes: ClassVar = [
            models.Index(fields=["company", "title"], name="article_by_title", condition=Q(is_active=True)),
        ]

    def __str__(self) -> str:
        return self.title
