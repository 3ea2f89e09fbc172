"""What people had the PABX do: commands about calls under way, and their DAC devices."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from callcenter.lib.secrets import EncryptedTextField
from telephony.models.attempts import CallAttempt
from telephony.models.lines import DialerLine
from telephony.states import CommandKind, CommandOutcome

DEVICE_PATTERN = r"[0-9*#]{1,32}"


class CallCommand(models.Model):
    """One command about one call, written before it is sent; what became of it is written after.

    `argument` is the device or the data that it names; empty where it names none.
    """

    attempt = models.ForeignKey(CallAttempt, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(_("comando"), max_length=10, choices=CommandKind)
    argument = models.CharField(_("com"), max_length=200, blank=True)
    actor = models.ForeignKey(
        "accounts.User", verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField(_("quando"))
    outcome = models.CharField(_("resultado"), max_length=10, choices=CommandOutcome, default=CommandOutcome.SENT)
    error_status = models.PositiveSmallIntegerField(_("resposta HTTP"), null=True)

    class Meta:
        verbose_name = _("comando ao PABX")
        verbose_name_plural = _("comandos ao PABX")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_outcome_display()}"


class DacDevice(models.Model):
    """A person's extension in the DAC queues of a line's PABX, and whether it is logged in there.

    `is_logged_in` empty = never said to the PABX, or the PABX's answer is not known. `retry_at` = the job that follows
    the presence leaves it alone until then; `error_code` = why the last try did not succeed.
    """

    line = models.ForeignKey(DialerLine, verbose_name=_("linha"), on_delete=models.CASCADE, related_name="dac_devices")
    user = models.ForeignKey(
        "accounts.User", verbose_name=_("atendente"), on_delete=models.CASCADE, related_name="dac_devices"
    )
    device = models.CharField(_("dispositivo"), max_length=32, validators=[RegexValidator(rf"^{DEVICE_PATTERN}\Z")])
    device_password = EncryptedTextField(_("senha do dispositivo"), blank=True, default="")
    account = models.CharField(_("conta"), max_length=32, blank=True)
    account_password = EncryptedTextField(_("senha da conta"), blank=True, default="")
    follows_presence = models.BooleanField(
        _("segue a presença"),
        default=True,
        help_text=_("Entra no DAC quando o atendente fica disponível e sai quando deixa de estar."),
    )
    is_logged_in = models.BooleanField(_("no DAC"), null=True, editable=False)
    changed_at = models.DateTimeField(_("desde"), null=True, editable=False)
    error_code = models.CharField(_("erro"), max_length=32, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    retry_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("ramal DAC")
        verbose_name_plural = _("ramais DAC")
        permissions: ClassVar = [("log_dacdevice", _("Pode entrar e sair do DAC com o próprio ramal"))]
        ordering: ClassVar = ["line", "device"]
        constraints: ClassVar = [
            # A person has one extension at a line, and an extension belongs to one person.
            models.UniqueConstraint(fields=["line", "user"], name="dac_device_one_per_person"),
            models.UniqueConstraint(fields=["line", "device"], name="dac_device_unique"),
        ]

    def __str__(self) -> str:
        return self.device
