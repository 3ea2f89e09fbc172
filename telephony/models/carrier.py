"""What we do at the carrier: the callback addresses registered there, what we ask it about, and what it differs in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from callcenter.lib.phones import display
from callcenter.lib.secrets import EncryptedTextField
from telephony.models.attempts import CallAttempt
from telephony.models.lines import DirectcallAccount
from telephony.states import UNFINISHED_REGISTRATIONS, InquiryState, RegistrationProblem, RegistrationState


class CallbackRegistration(models.Model):
    """One secret address of ours that the carrier posts its news to; it is accepted until it is removed there.

    `secret` is the last part of the path, `digest` finds the row by it. `username` empty = no HTTP Basic is asked for.
    `code` empty = the carrier gave none yet. `problem` not empty = why the last step did not end well.
    """

    account = models.ForeignKey(
        DirectcallAccount, verbose_name=_("conta"), on_delete=models.CASCADE, related_name="registrations"
    )
    state = models.CharField(
        _("situação"), max_length=12, choices=RegistrationState, default=RegistrationState.PREPARED
    )
    state_since = models.DateTimeField(_("desde"))
    secret = EncryptedTextField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    username = models.CharField(_("usuário do HTTP Basic"), max_length=64, blank=True)
    password = EncryptedTextField(editable=False, blank=True, default="")
    code = models.CharField(_("código na operadora"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("criado em"))
    verified_at = models.DateTimeField(_("conferido em"), null=True)
    problem = models.CharField(_("problema"), max_length=24, choices=RegistrationProblem, blank=True)

    class Meta:
        verbose_name = _("callback na operadora")
        verbose_name_plural = _("callbacks na operadora")
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            # One address is current, and one more on its way in.
            models.UniqueConstraint(
                fields=["account"], condition=Q(state=RegistrationState.VERIFIED), name="registration_one_verified"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=UNFINISHED_REGISTRATIONS), name="registration_one_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.get_state_display()}"


class CarrierInquiry(models.Model):
    """That the carrier is asked what became of one call of which there is no news, or no sure news.

    `next_at` is when it is asked again; the row is taken by moving it on. `last_source` empty = never asked yet.
    """

    attempt = models.OneToOneField(
        CallAttempt, verbose_name=_("tentativa"), on_delete=models.CASCADE, related_name="inquiry"
    )
    account = models.ForeignKey(DirectcallAccount, verbose_name=_("conta"), on_delete=models.CASCADE)
    state = models.CharField(_("situação"), max_length=10, choices=InquiryState, default=InquiryState.WAITING)
    asked = models.PositiveSmallIntegerField(_("vezes perguntada"), default=0)
    next_at = models.DateTimeField(_("próxima pergunta"))
    last_at = models.DateTimeField(_("última pergunta"), null=True)
    candidates = models.PositiveSmallIntegerField(_("chamadas que poderiam ser"), default=0)
    problem = models.CharField(_("problema"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("pergunta à operadora")
        verbose_name_plural = _("perguntas à operadora")
        indexes: ClassVar = [
            # What is due to be asked.
            models.Index(fields=["account", "next_at"], name="inquiry_due", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return str(self.get_state_display())


class Reconciliation(models.Model):
    """The comparison of one day of an account's statement with our attempts; `finished_at` empty = not through yet."""

    account = models.ForeignKey(DirectcallAccount, verbose_name=_("conta"), on_delete=models.CASCADE)
    day = models.DateField(_("dia"))
    started_at = models.DateTimeField(_("começou em"))
    finished_at = models.DateTimeField(_("terminou em"), null=True)
    calls = models.PositiveIntegerField(_("chamadas no extrato"), default=0)
    attempts = models.PositiveIntegerField(_("tentativas nossas"), default=0)
    problem = models.CharField(_("problema"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("conferência com o extrato")
        verbose_name_plural = _("conferências com o extrato")
        ordering: ClassVar = ["-day", "account"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "day"], name="reconciliation_one_per_day")]

    def __str__(self) -> str:
        return f"{self.account}, {self.day:%d/%m/%Y}"


class CarrierDifference(models.Model):
    """One thing in which the carrier's statement and our attempts differ; a person looks at it and says so.

    `attempt` empty = no attempt of ours is near. `call_id` empty = the statement has no such call. `seen_at` empty =
    nobody has looked at it.
    """

    class Kind(models.TextChoices):
        """What differs, the gravest first."""

        DOUBLED = "doubled", _("Duas chamadas para uma tentativa")
        UNKNOWN = "unknown", _("Chamada que não é daqui")
        MISSING = "missing", _("Tentativa que não está no extrato")
        OUTCOME = "outcome", _("Resultado diferente")

    reconciliation = models.ForeignKey(
        Reconciliation, verbose_name=_("conferência"), on_delete=models.CASCADE, related_name="differences"
    )
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    kind = models.CharField(_("diferença"), max_length=8, choices=Kind)
    call_id = models.CharField(_("callerid"), max_length=128, blank=True)
    attempt = models.ForeignKey(CallAttempt, verbose_name=_("tentativa"), on_delete=models.CASCADE, null=True)
    phone_e164 = models.CharField(_("número"), max_length=16, blank=True)
    called_at = models.DateTimeField(_("hora da chamada"), null=True)
    carrier_says = models.CharField(_("a operadora diz"), max_length=64, blank=True)
    we_say = models.CharField(_("nós dizemos"), max_length=32, blank=True)
    found_at = models.DateTimeField(_("achada em"))
    seen_at = models.DateTimeField(_("vista em"), null=True)
    seen_by = models.ForeignKey(
        "accounts.User", verbose_name=_("vista por"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("diferença com a operadora")
        verbose_name_plural = _("diferenças com a operadora")
        ordering: ClassVar = ["-found_at", "-id"]
        permissions: ClassVar = [("see_carrierdifference", _("Pode marcar diferenças como vistas"))]
        constraints: ClassVar = [
            # A comparison that is repeated finds the same differences, and tells them once.
            models.UniqueConstraint(
                fields=["reconciliation", "kind", "call_id", "attempt"],
                condition=Q(attempt__isnull=False),
                name="difference_of_attempt_once",
            ),
            models.UniqueConstraint(
                fields=["reconciliation", "kind", "call_id"],
                condition=Q(attempt=None),
                name="difference_of_call_once",
            ),
        ]
        indexes: ClassVar = [
            # The dashboard counts what nobody has looked at.
            models.Index(fields=["company"], name="difference_unseen", condition=Q(seen_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def phone_display(self) -> str:
        """The number as Brazilians write it."""
        return display(self.phone_e164)


class RecordingPlay(models.Model):
    """That somebody listened to the recording of a call, or tried to; written before the first byte is sent."""

    attempt = models.ForeignKey(
        CallAttempt, verbose_name=_("tentativa"), on_delete=models.CASCADE, related_name="recording_plays"
    )
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    user = models.ForeignKey(
        "accounts.User", verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField(_("quando"))
    result = models.CharField(_("resultado"), max_length=32)

    class Meta:
        verbose_name = _("escuta de gravação")
        verbose_name_plural = _("escutas de gravações")
        ordering: ClassVar = ["-at", "-id"]
        permissions: ClassVar = [("listen_recording", _("Pode ouvir gravações"))]

    def __str__(self) -> str:
        return f"{self.user}, {self.at:%d/%m/%Y %H:%M}"
