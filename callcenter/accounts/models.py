"""Who uses the system: companies (the tenants), people, and the keys that programs use."""

from __future__ import annotations

import zoneinfo
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from callcenter.accounts.data import Activity


def validate_timezone(name: str) -> None:
    """Nothing, when `name` is a time zone of the IANA database.

    Errors: `ValidationError`.
    """
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” não é um fuso horário conhecido."), params={"name": name})


class Company(models.Model):
    """A tenant: the `company_id` of CS-Cart, the Empresa of TempBox, the owner of dialer lines.

    An inactive company takes no new requests, and none of its requests are dialed. `duplicate_window_minutes`: so long
    a repeated request of one number is the one that is still open; 0 = each is a new one.
    """

    name = models.CharField(_("nome"), max_length=120, unique=True)
    time_zone = models.CharField(
        _("fuso horário"), max_length=64, default="America/Sao_Paulo", validators=[validate_timezone]
    )
    is_active = models.BooleanField(_("ativa"), default=True)
    duplicate_window_minutes = models.PositiveIntegerField(
        _("janela de pedidos repetidos (minutos)"),
        default=0,
        validators=[MaxValueValidator(43_200)],
        help_text=_(
            "Um novo pedido pela API, do mesmo número e dentro deste tempo, recebe como resposta o pedido ainda aberto "
            "em vez de criar outro. 0 = desligado."
        ),
    )
    activity = models.CharField(
        _("atividade"),
        max_length=16,
        choices=Activity,
        default=Activity.REQUESTED_CALLBACK,
        help_text=_("Para que a empresa liga: decide que regras de ligação valem. Uma linha pode ter outra."),
    )
    created_at = models.DateTimeField(_("criada em"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("empresa")
        verbose_name_plural = _("empresas")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The company's time zone."""
        return zoneinfo.ZoneInfo(self.time_zone)


class UserManager(BaseUserManager["User"]):
    """Makes users whose login is their e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A saved user.

        Errors: `ValueError` without an e-mail address.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A saved user who may do everything in every company."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of that e-mail address, in whatever case it was typed."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in by e-mail: in the admin, or through API keys.

    No companies = all of them. `presence` says whether a dialed call may be handed to this person now.
    """

    class Presence(models.TextChoices):
        """Whether the person takes calls now."""

        OFFLINE = "offline", _("Fora")
        AVAILABLE = "available", _("Disponível")
        PAUSED = "paused", _("Em pausa")

    email = models.EmailField(
        _("e-mail"), max_length=254, unique=True, error_messages={"unique": _("Já há um usuário com este e-mail.")}
    )
    first_name = models.CharField(_("nome"), max_length=150, blank=True)
    last_name = models.CharField(_("sobrenome"), max_length=150, blank=True)
    companies = models.ManyToManyField(
        Company,
        verbose_name=_("empresas"),
        related_name="users",
        blank=True,
        help_text=_("Sem nenhuma empresa, a pessoa vê todas."),
    )
    presence = models.CharField(_("presença"), max_length=10, choices=Presence, default=Presence.OFFLINE)
    presence_changed_at = models.DateTimeField(_("presença desde"), null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("ativo"), default=True)
    is_staff = models.BooleanField(_("entra no painel"), default=False)
    date_joined = models.DateTimeField(_("desde"), default=timezone.now, editable=False)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = []

    class Meta:
        verbose_name = _("usuário")
        verbose_name_plural = _("usuários")
        ordering: ClassVar = ["first_name", "last_name", "email"]
        constraints: ClassVar = [
            # One person per address, however it is typed.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]
        indexes: ClassVar = [
            # The dialer counts the attendants who may take a call.
            models.Index(fields=["presence"], name="user_available", condition=models.Q(presence="available")),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def clean(self) -> None:
        """Fold the e-mail address to lower case."""
        self.email = self.email.strip().lower()

    def get_full_name(self) -> str:
        """First and last name; empty when neither is known."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """The first name, or the address."""
        return self.first_name or self.email

    @cached_property
    def company_scope(self) -> frozenset[int] | None:
        """Ids of the companies whose rows this person may see; None = all. One query, then remembered."""
        if self.is_superuser:
            return None
        return frozenset(self.companies.values_list("pk", flat=True)) or None


class ApiKey(models.Model):
    """A program's password for a user: shown once, stored as a digest.

    `revoked_at` empty = valid, until `expires_at` if that is set: only keys that a program got for a password expire.
    `last_used_at` is kept to the minute.
    """

    user = models.ForeignKey(User, verbose_name=_("usuário"), on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("descrição"), max_length=80)
    prefix = models.CharField(_("começo da chave"), max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("criada em"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("último uso"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revogada em"), null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(_("vale até"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("chave de API")
        verbose_name_plural = _("chaves de API")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"
