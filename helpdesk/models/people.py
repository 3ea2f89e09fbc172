"""The two sides of a conversation: attendants in their teams, and the contacts who ask."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from helpdesk.models.base import Record
from helpdesk.querysets import CompanyQuerySet
from helpdesk.states import AttendantKind, Platform, Presence


class Attendant(Record):
    """Whoever writes on our side in one company: a person (`user` set), a bot (`flow` set) or an IA.

    `capacity` = how many open atendimentos may be given to a person at once; 0 = none is given, but any may be taken.
    `last_received_at` empty = was never given one. `is_manager` sees everything in the reports of the company.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    user = models.ForeignKey(
        "accounts.User",
        verbose_name=_("usuário"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="attendants",
        help_text=_("A pessoa que entra no painel; vazio para bot e IA."),
    )
    kind = models.PositiveSmallIntegerField(_("tipo"), choices=AttendantKind, default=AttendantKind.HUMAN)
    name = models.CharField(_("nome"), max_length=120)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    image_url = models.URLField(_("imagem"), max_length=500, blank=True)
    is_active = models.BooleanField(_("ativo"), default=True)
    is_manager = models.BooleanField(_("gestor"), default=False)
    presence = models.CharField(_("presença"), max_length=8, choices=Presence, default=Presence.OFFLINE)
    presence_changed_at = models.DateTimeField(_("presença desde"), null=True, blank=True, editable=False)
    capacity = models.PositiveSmallIntegerField(_("limite simultâneo"), default=5)
    last_received_at = models.DateTimeField(_("último recebido em"), null=True, blank=True, editable=False)
    flow = models.ForeignKey(
        "helpdesk.BotFlow",
        verbose_name=_("fluxo do bot"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="attendants",
    )

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("atendente")
        verbose_name_plural = _("atendentes")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            # A person is one attendant of a company.
            models.UniqueConstraint(
                fields=["company", "user"], name="attendant_one_per_user", condition=Q(user__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(kind=AttendantKind.HUMAN) | Q(user=None), name="attendant_only_humans_log_in"
            ),
        ]
        indexes: ClassVar = [
            # Who of a company may be given a conversation.
            models.Index(
                fields=["company"], name="attendant_available", condition=Q(is_active=True, presence=Presence.ONLINE)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_human(self) -> bool:
        """Whether this is a person."""
        return self.kind == AttendantKind.HUMAN

    @property
    def first_name(self) -> str:
        """The first word of the name."""
        return self.name.split(maxsplit=1)[0] if self.name.strip() else ""


class AttendantPause(models.Model):
    """One pause of an attendant; `ended_at` empty = it is going on."""

    attendant = models.ForeignKey(
        Attendant, verbose_name=_("atendente"), on_delete=models.CASCADE, related_name="pauses"
    )
    reason = models.CharField(_("motivo"), max_length=80)
    started_at = models.DateTimeField(_("início"), default=timezone.now)
    ended_at = models.DateTimeField(_("término"), null=True, blank=True)

    class Meta:
        verbose_name = _("pausa")
        verbose_name_plural = _("pausas")
        ordering: ClassVar = ["-started_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["attendant"], name="attendant_one_pause_at_a_time", condition=Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class Team(Record):
    """Attendants who share a queue."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    name = models.CharField(_("nome"), max_length=120)
    is_active = models.BooleanField(_("ativa"), default=True)
    attendants = models.ManyToManyField(
        Attendant, through="helpdesk.TeamMember", verbose_name=_("atendentes"), related_name="teams"
    )

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("equipe")
        verbose_name_plural = _("equipes")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["company", "name"], name="team_name_unique")]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """That an attendant belongs to a team; the supervisor gets what nobody of the team answered."""

    team = models.ForeignKey(Team, verbose_name=_("equipe"), on_delete=models.CASCADE, related_name="members")
    attendant = models.ForeignKey(
        Attendant, verbose_name=_("atendente"), on_delete=models.CASCADE, related_name="memberships"
    )
    is_supervisor = models.BooleanField(_("supervisor"), default=False)

    class Meta:
        verbose_name = _("membro da equipe")
        verbose_name_plural = _("membros da equipe")
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "attendant"], name="team_member_once")]

    def __str__(self) -> str:
        return f"{self.attendant} ({self.team})"


class Customer(Record):
    """A customer of the company, to whom contacts may be tied."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    name = models.CharField(_("nome"), max_length=160)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("helpdesk", "cliente")
        verbose_name_plural = pgettext_lazy("helpdesk", "clientes")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Contact(Record):
    """Somebody who asks. Any field may be empty: a visitor of the site is first known by nothing.

    `atendimento_count` = how many atendimentos there were, deleted ones left out; kept by the services.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    customer = models.ForeignKey(
        Customer,
        verbose_name=pgettext_lazy("helpdesk", "cliente"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="contacts",
    )
    name = models.CharField(_("nome"), max_length=160, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    phone_e164 = models.CharField(_("telefone"), max_length=16, blank=True)
    whatsapp_e164 = models.CharField("WhatsApp", max_length=16, blank=True)
    organisation = models.CharField(_("empresa do solicitante"), max_length=160, blank=True)
    city = models.CharField(_("cidade"), max_length=120, blank=True)
    state = models.CharField(_("UF"), max_length=2, blank=True)
    image_url = models.URLField(_("imagem"), max_length=500, blank=True)
    atendimento_count = models.PositiveIntegerField(_("atendimentos"), default=0, editable=False)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("helpdesk", "contato")
        verbose_name_plural = pgettext_lazy("helpdesk", "contatos")
        ordering: ClassVar = ["name", "created_at"]
        indexes: ClassVar = [
            # The admin's list.
            models.Index(fields=["company", "name"], name="contact_by_name"),
            # Whose number or address is this?
            models.Index(fields=["company", "email"], name="contact_by_email", condition=~Q(email="")),
            models.Index(fields=["company", "phone_e164"], name="contact_by_phone", condition=~Q(phone_e164="")),
            models.Index(
                fields=["company", "whatsapp_e164"], name="contact_by_whatsapp", condition=~Q(whatsapp_e164="")
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The name, or what else there is to call them."""
        return self.name or self.email or self.phone_e164 or self.whatsapp_e164 or str(_("Visitante"))


class ContactAddress(Record):
    """One way to reach a contact on a medium; `address` is normalised (E.164 digits, lower-case e-mail)."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    contact = models.ForeignKey(
        Contact,
        verbose_name=pgettext_lazy("helpdesk", "contato"),
        on_delete=models.CASCADE,
        related_name="addresses",
    )
    platform = models.PositiveSmallIntegerField(_("plataforma"), choices=Platform)
    address = models.CharField(_("endereço"), max_length=254)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("forma de contato")
        verbose_name_plural = _("formas de contato")
        ordering: ClassVar = ["platform", "created_at"]
        constraints: ClassVar = [
            # An address of a medium is one person's. Also how an inbound message finds its contact.
            models.UniqueConstraint(fields=["company", "platform", "address"], name="contact_address_unique"),
        ]

    def __str__(self) -> str:
        return self.address
