"""Call attempts: one row per try to reach a person, and its append-only ledger."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from callcenter.lib.phones import display
from requests_app.states import Outcome
from telephony.models.lines import DialerLine
from telephony.states import OPEN, AttemptState, Meaning, MoveReason


class CallAttempt(models.Model):
    """One try to call one person: claimed, sent at most once, and moved on by news until it is final.

    It begins claimed, at `claimed_at`, which the request's ledger tells; its own entries are the moves from there.

    `token` is the opaque id that travels in DADOS. `provider_call_id` is the PABX's ID_CHAMADA, byte for byte;
    `carrier_call_id` is Directcall's callerid; each is empty until known. `call_request` empty = it was deleted.
    `lease_until` empty = no worker holds the attempt. `error_code` empty = the PABX accepted it, or was not asked yet.
    `permission` = the decision of the rules that let it be claimed: codes and ids.
    """

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No constraints: both stand in the request's row, which whoever claims it holds locked (decision 39).
    call_request = models.ForeignKey(
        "requests_app.CallRequest",
        verbose_name=_("pedido de ligação"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="call_attempts",
        db_constraint=False,
        # The unique numbers of a request's attempts begin with it.
        db_index=False,
    )
    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT, db_constraint=False
    )
    line = models.ForeignKey(DialerLine, verbose_name=_("linha"), on_delete=models.PROTECT)
    number = models.PositiveSmallIntegerField(_("tentativa"))
    state = models.CharField(_("estado"), max_length=10, choices=AttemptState, default=AttemptState.CLAIMED)
    outcome = models.CharField(_("resultado"), max_length=12, choices=Outcome, blank=True)
    has_conflict = models.BooleanField(_("notícias contraditórias"), default=False)
    phone_e164 = models.CharField(_("número"), max_length=16)
    provider_call_id = models.CharField(_("ID_CHAMADA"), max_length=64, blank=True)
    carrier_call_id = models.CharField(_("callerid"), max_length=128, blank=True)
    claimed_at = models.DateTimeField(_("reservada em"))
    claim_token = models.UUIDField(default=uuid.uuid4, editable=False)
    send_at = models.DateTimeField(_("enviar a partir de"))
    lease_until = models.DateTimeField(null=True, editable=False)
    sending_at = models.DateTimeField(_("enviada em"), null=True)
    placed_at = models.DateTimeField(_("aceita em"), null=True)
    answered_at = models.DateTimeField(_("atendida em"), null=True)
    ended_at = models.DateTimeField(_("encerrada em"), null=True)
    error_code = models.CharField(_("erro"), max_length=32, blank=True)
    permission = models.JSONField(_("permissão"), null=True, editable=False)
    error_status = models.PositiveSmallIntegerField(_("resposta HTTP"), null=True)

    class Meta:
        verbose_name = _("tentativa de chamada")
        verbose_name_plural = _("tentativas de chamada")
        permissions: ClassVar = [("settle_callattempt", _("Pode decidir uma chamada em dúvida"))]
        constraints: ClassVar = [
            # A request is tried once at a time; the backstop against every bug in the claim.
            models.UniqueConstraint(
                fields=["call_request"], condition=Q(state__in=OPEN), name="attempt_one_open_per_request"
            ),
            # And so is a number, whichever request, line or company wants it: a person has one ear.
            models.UniqueConstraint(
                fields=["phone_e164"], condition=Q(state__in=OPEN), name="attempt_one_open_per_number"
            ),
            models.UniqueConstraint(
                fields=["call_request", "number"], condition=Q(call_request__isnull=False), name="attempt_number_unique"
            ),
            # A counter reset at the PABX must not attach one person's news to another's call.
            models.UniqueConstraint(
                fields=["line", "provider_call_id"],
                condition=~Q(provider_call_id=""),
                name="attempt_provider_id_unique",
            ),
            models.UniqueConstraint(
                fields=["company", "carrier_call_id"],
                condition=~Q(carrier_call_id=""),
                name="attempt_carrier_id_unique",
            ),
        ]
        indexes: ClassVar = [
            # The sweep and the pacing look at open attempts only.
            models.Index(fields=["line", "state"], name="attempt_open", condition=Q(state__in=OPEN)),
            # How often a number was called on a day, whoever called it; and news without the carrier's id.
            models.Index(fields=["phone_e164", "send_at"], name="attempt_of_number_by_time"),
            # The admin's list.
            models.Index(fields=["-claimed_at", "-id"], name="attempt_by_date"),
        ]

    def __str__(self) -> str:
        return str(_("%(number)sª tentativa, %(state)s") % {"number": self.number, "state": self.get_state_display()})

    @property
    def phone_display(self) -> str:
        """The number as Brazilians write it."""
        return display(self.phone_e164)


class AttemptEntry(models.Model):
    """One move of an attempt from where it was before; written once with the move, never changed."""

    attempt = models.ForeignKey(CallAttempt, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField(_("quando"))
    from_state = models.CharField(_("de"), max_length=10, choices=AttemptState, blank=True)
    to_state = models.CharField(_("para"), max_length=10, choices=AttemptState)
    reason = models.CharField(_("motivo"), max_length=32, blank=True)
    actor = models.ForeignKey(
        "accounts.User", verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("movimento")
        verbose_name_plural = _("movimentos")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"

    @property
    def reason_display(self) -> str:
        """The reason as staff read it, or its code where it has no label."""
        labels = {**dict(Outcome.choices), **dict(MoveReason.choices), **dict(Meaning.choices)}
        return str(labels.get(self.reason, self.reason))
