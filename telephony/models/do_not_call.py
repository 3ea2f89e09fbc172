"""Lists of people who don't want to be called, as digests of their numbers, and who may call them all the same."""

from __future__ import annotations

import builtins
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from callcenter.lib.number_digests import key_check
from telephony.rule_terms import ListKind


class DoNotCallList(models.Model):
    """One list. `company` empty = it holds for all companies. What it forbids, and from when on, the rules say.

    `key_check` = the digest of a fixed text; when it is not today's, the numbers can't be recognised any more.
    """

    kind = models.CharField(_("tipo"), max_length=16, choices=ListKind)
    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, null=True, blank=True
    )
    is_active = models.BooleanField(_("em uso"), default=True)
    key_check = models.UUIDField(default=key_check, editable=False)
    numbers = models.PositiveBigIntegerField(_("números"), default=0, editable=False)
    updated_at = models.DateTimeField(_("atualizada em"), null=True, editable=False)

    class Meta:
        verbose_name = _("lista de não ligar")
        verbose_name_plural = _("listas de não ligar")
        ordering: ClassVar = ["kind", "company"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "company"], name="do_not_call_list_unique"),
            models.UniqueConstraint(fields=["kind"], condition=Q(company=None), name="do_not_call_list_for_all_unique"),
        ]

    def __str__(self) -> str:
        owner = f" · {self.company}" if self.company else ""
        return f"{self.get_kind_display()}{owner}"


class DoNotCallImport(models.Model):
    """One file of numbers read into a list, batch by batch; `lines` of it are done, so that it can go on after a stop.

    `problems` = line number and reason of the first lines that were refused; never a number.
    """

    class State(models.TextChoices):
        """How far it has come."""

        RUNNING = "running", _("Em andamento")
        DONE = "done", _("Concluída")

    list = models.ForeignKey(DoNotCallList, verbose_name=_("lista"), on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(_("arquivo"), max_length=200)
    listed_on = models.DateField(_("cadastrados desde"))
    replaces = models.BooleanField(_("substitui a lista"), default=False)
    state = models.CharField(_("estado"), max_length=8, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(_("começou em"), default=timezone.now)
    finished_at = models.DateTimeField(_("terminou em"), null=True)
    actor = models.ForeignKey(
        "accounts.User", verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    lines = models.PositiveBigIntegerField(_("linhas lidas"), default=0)
    added = models.PositiveBigIntegerField(_("números novos"), default=0)
    known = models.PositiveBigIntegerField(_("já estavam na lista"), default=0)
    refused = models.PositiveBigIntegerField(_("linhas recusadas"), default=0)
    removed = models.PositiveBigIntegerField(_("retirados"), default=0)
    problems = models.JSONField(_("problemas"), default=builtins.list)

    class Meta:
        verbose_name = _("importação de lista")
        verbose_name_plural = _("importações de listas")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.list}: {self.file_name}"


class DoNotCallEntry(models.Model):
    """One number on one list. `listed_on` = the day from which the list's own term is counted.

    `import_id` = the import that last saw it; null = a person put it here, and `reason` says why.
    """

    class Reason(models.TextChoices):
        """Why a person was put on a list by hand, or taken off it."""

        NONE = "", "—"
        OPT_OUT = "opt_out", _("Pediu para não ser chamado")
        WRONG_PERSON = "wrong_person", _("Pessoa errada")
        COMPLAINT = "complaint", _("Reclamação")
        LEGAL = "legal", _("Ordem judicial ou de órgão público")
        ASKED_BACK = "asked_back", _("Pediu para voltar a ser chamado")
        MISTAKE = "mistake", pgettext_lazy("motivo", "Engano")

    list = models.ForeignKey(
        DoNotCallList, verbose_name=_("lista"), on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    number_digest = models.UUIDField(_("número (resumo)"))
    listed_on = models.DateField(_("cadastrado em"))
    added_at = models.DateTimeField(_("incluído em"), default=timezone.now)
    reason = models.CharField(_("motivo"), max_length=16, choices=Reason, blank=True, default="")
    actor = models.ForeignKey(
        "accounts.User",
        verbose_name=_("quem"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    # Without constraint and index: five million rows, and asked only when a whole list is replaced.
    seen_in = models.ForeignKey(
        DoNotCallImport,
        verbose_name=_("importação"),
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("número em lista de não ligar")
        verbose_name_plural = _("números em listas de não ligar")
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("lookup_donotcallentry", _("Pode consultar se um número pode ser chamado")),
            ("import_donotcallentry", _("Pode importar listas de não ligar")),
        ]
        constraints: ClassVar = [
            # Also the look-up before each call: by the number first.
            models.UniqueConstraint(fields=["number_digest", "list"], name="do_not_call_entry_unique"),
        ]
        indexes: ClassVar = [
            # The admin's list: what people put here, among millions of imported ones.
            models.Index(fields=["-id"], name="do_not_call_entry_by_hand", condition=Q(seen_in=None)),
        ]

    def __str__(self) -> str:
        return str(_("Registro nº %(id)s") % {"id": self.pk})


class DoNotCallChange(models.Model):
    """That a person put a number on a list or took it off; written once, never changed. Imports tell their counts."""

    class Kind(models.TextChoices):
        """What was done."""

        ADDED = "added", _("Incluído")
        REMOVED = "removed", pgettext_lazy("lista", "Retirado")

    list = models.ForeignKey(DoNotCallList, verbose_name=_("lista"), on_delete=models.CASCADE, related_name="changes")
    number_digest = models.UUIDField(_("número (resumo)"))
    kind = models.CharField(_("o quê"), max_length=8, choices=Kind)
    reason = models.CharField(_("motivo"), max_length=16, choices=DoNotCallEntry.Reason)
    at = models.DateTimeField(_("quando"), default=timezone.now)
    actor = models.ForeignKey(
        "accounts.User", verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("mudança em lista de não ligar")
        verbose_name_plural = _("mudanças em listas de não ligar")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            # What was done about one number.
            models.Index(fields=["number_digest"], name="do_not_call_change_of_number"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.at:%d/%m/%Y})"


class CallAuthorization(models.Model):
    """That a person allowed one company to call them although a public list has their number.

    `list_kind` empty = whichever list. `valid_to` empty = until taken back. Our own lists know no authorisation.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    number_digest = models.UUIDField(_("número (resumo)"), editable=False)
    list_kind = models.CharField(_("lista"), max_length=16, choices=ListKind, blank=True)
    given_on = models.DateField(_("dada em"))
    valid_to = models.DateField(_("vale até"), null=True, blank=True)
    evidence = models.CharField(
        _("prova"), max_length=250, help_text=_("Onde está o documento assinado, a gravação ou o registro.")
    )

    class Meta:
        verbose_name = _("autorização de ligação")
        verbose_name_plural = _("autorizações de ligação")
        ordering: ClassVar = ["-given_on", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number_digest", "company", "list_kind"], name="call_authorization_unique"),
        ]

    def __str__(self) -> str:
        return str(_("Autorização nº %(id)s") % {"id": self.pk})
