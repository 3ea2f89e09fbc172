"""What the buttons on a conversation's page do; each names the permission that it needs."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.admin import company_scope
from callcenter.lib.display import absolute
from callcenter.lib.errors import Conflict, DomainError, InvalidInput
from helpdesk import timeline
from helpdesk.models import CannedMessage, ScheduledMessage, Tag
from helpdesk.selectors.canned import filled_in
from helpdesk.services import answering, booking, closing, delivery, forwarding, saving, taking, writing
from helpdesk.services.attachments import stored_files
from helpdesk.services.rows import attendant_of, locked_atendimento, locked_with_contact, team_of
from helpdesk.states import Category
from helpdesk.tasks import ring

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from helpdesk.admin.atendimentos import AtendimentoAdmin
    from helpdesk.data import Bell
    from helpdesk.models import Atendimento

# `/12` alone, or before a text, stands for the ready answer of that number.
_SHORTCUT: Final = re.compile(r"/(\d{1,9})(?=\s|$)")
_TYPED: Final = ("reply", "note", "draft_send", "schedule", "insert")


class Deeds:
    """One press of a button by one user on one conversation."""

    def __init__(self, model_admin: AtendimentoAdmin, request: HttpRequest, atendimento: Atendimento) -> None:
        self.model_admin, self.request, self.atendimento = model_admin, request, atendimento
        self.now = timezone.now()
        self.scope = company_scope(request)
        self.text = request.POST.get("text", "").replace("\r\n", "\n")
        self.files = request.FILES.getlist("files")
        self.bells: frozenset[Bell] = frozenset()

    def done(self) -> HttpResponse:
        """The page again: anew when it worked, with what was typed and the reason when it did not."""
        name = "insert" if self.request.POST.get("insert") else self.request.POST.get("do", "")
        permission, do = self._deeds().get(name, ("", None))
        if do is None or not self.request.user.has_perm(permission):
            raise PermissionDenied
        try:
            note = do()
        except DomainError as error:
            return self._refused(name, error)
        ring(self.bells)
        if name == "insert":
            return self.model_admin.page(self.request, self.atendimento, typed=self.text)
        if note:
            self.model_admin.log_change(self.request, self.atendimento, note)
            messages.success(self.request, note)
        return HttpResponseRedirect(reverse("admin:helpdesk_atendimento_change", args=[self.atendimento.pk]) + "#fim")

    def _deeds(self) -> dict[str, tuple[str, Callable[[], str]]]:
        return {
            "reply": ("helpdesk.answer_atendimento", self.reply),
            "note": ("helpdesk.answer_atendimento", self.note),
            "insert": ("helpdesk.answer_atendimento", self.insert),
            "take": ("helpdesk.answer_atendimento", self.take),
            "forward": ("helpdesk.view_atendimento", self.forward),
            "schedule": ("helpdesk.add_scheduledmessage", self.schedule),
            "unschedule": ("helpdesk.change_scheduledmessage", self.unschedule),
            "details": ("helpdesk.change_atendimento", self.details),
            "close": ("helpdesk.close_atendimento", self.close),
            "reopen": ("helpdesk.close_atendimento", self.reopen),
            "resend": ("helpdesk.resend_message", self.resend),
            "draft_send": ("helpdesk.answer_atendimento", self.send_draft),
            "draft_discard": ("helpdesk.answer_atendimento", self.discard_draft),
            "callback": ("requests_app.add_callrequest", self.call_back),
            "dropped": ("requests_app.add_callrequest", self.report_drop),
        }

    def reply(self) -> str:
        """Send what was typed, unless somebody else was quicker."""
        me, text = self.model_admin.me(self.request, self.atendimento), self._expanded()
        with stored_files(self.files, now=self.now) as files:
            done = answering.answer(
                self.atendimento.pk, me, scope=self.scope, text=text, seen=self._seen(), now=self.now, files=files
            )
        self.bells |= done.bells
        return ""

    def note(self) -> str:
        """Keep what was typed as an internal note."""
        me = self.model_admin.me(self.request, self.atendimento)
        text = self._expanded()
        with stored_files(self.files, now=self.now) as files:
            writing.write_note(self.atendimento.pk, me, scope=self.scope, text=text, now=self.now, files=files)
        return ""

    def insert(self) -> str:
        """Put a ready answer behind what was typed, without sending."""
        canned = CannedMessage.objects.filter(
            company_id=self.atendimento.company_id, pk=self._uuid("insert"), is_active=True
        ).first()
        if canned is None:
            raise InvalidInput("insert", _("Não existe esta mensagem padrão."))
        ready = self._filled(canned.text)
        self.text = f"{self.text.rstrip()}\n{ready}" if self.text.strip() else ready
        return ""

    def take(self) -> str:
        """Take it from the queue or from an automation."""
        me = self.model_admin.me(self.request, self.atendimento)
        done = taking.take(self.atendimento.pk, me, scope=self.scope, now=self.now)
        holder = done.atendimento.attendant
        if not done.has_changed and (holder is None or holder.pk != me.pk):
            raise Conflict(_("O atendimento já está com %(name)s.") % {"name": holder or "—"})
        return _("Você assumiu o atendimento.")

    def forward(self) -> str:
        """Pass it to a person, an automation, or a team's queue; the reason becomes a note."""
        me = self.model_admin.me(self.request, self.atendimento)
        is_mine = self.atendimento.attendant_id == me.pk
        if not is_mine and not self.request.user.has_perm("helpdesk.assign_atendimento"):
            raise PermissionDenied
        kind, _colon, key = self.request.POST.get("to", "").partition(":")
        company_id = self.atendimento.company_id
        find = {"person": attendant_of, "team": team_of}.get(kind)
        target = find(_as_uuid(key), company_id=company_id) if find else None
        if target is None:
            raise InvalidInput("to", _("Escolha para quem transferir."))
        with transaction.atomic():
            done = forwarding.forward(self.atendimento.pk, target, scope=self.scope, now=self.now, by=me)
            self.bells |= done.bells
            if reason := self.request.POST.get("reason", "").strip():
                text = _("Transferido para %(target)s: %(reason)s") % {"target": target, "reason": reason}
                writing.write_note(self.atendimento.pk, me, scope=self.scope, text=text, now=self.now)
        return _("Transferido para %(target)s.") % {"target": target}

    def schedule(self) -> str:
        """Keep what was typed until its time."""
        if self.files:
            raise InvalidInput(
                "files", _("Uma mensagem agendada não leva arquivos: envie-os agora ou escreva o texto.")
            )
        due_at = self._moment("due_at")
        if due_at is None:
            raise InvalidInput("due_at", _("Diga quando a mensagem deve sair."))
        me = self.model_admin.me(self.request, self.atendimento)
        booked = booking.schedule_message(
            self.atendimento.pk, me, scope=self.scope, text=self._expanded(), due_at=due_at, now=self.now
        )
        return _("Mensagem agendada para %(at)s.") % {"at": absolute(booked.due_at)}

    def unschedule(self) -> str:
        """Cancel a message for later."""
        rows = ScheduledMessage.objects.filter(atendimento=self.atendimento, pk=self._uuid("scheduled"))
        scheduled = rows.first()
        if scheduled is None or not booking.cancel_one(scheduled, now=self.now):
            raise Conflict(_("A mensagem já foi enviada ou cancelada."))
        return _("Mensagem agendada cancelada.")

    def details(self) -> str:
        """Title, category, observations, privacy and tags."""
        me, post = self.model_admin.me(self.request, self.atendimento), self.request.POST
        category = post.get("category", "")
        if not category.isdigit() or int(category) not in Category.values:
            raise InvalidInput("category", _("Categoria desconhecida."))
        values = {
            "title": _plain(post.get("title", ""))[:200],
            "category": int(category),
            "notes": _plain(post.get("notes", "")),
            "is_private": "is_private" in post,
        }
        wanted = [key for key in map(_as_uuid_or_none, post.getlist("tags")) if key]
        with transaction.atomic():
            locked = locked_atendimento(self.atendimento.pk, scope=self.scope)
            saving.save_atendimento(locked, values=values, by=me, now=self.now)
            locked.tags.set(Tag.objects.filter(company_id=locked.company_id, pk__in=wanted))
        return _("Dados do atendimento gravados.")

    def close(self) -> str:
        """Close it."""
        me = self.model_admin.me(self.request, self.atendimento)
        closing.close(self.atendimento.pk, scope=self.scope, now=self.now, by=me)
        return _("Atendimento concluído.")

    def reopen(self) -> str:
        """Open it again, held by the user."""
        me = self.model_admin.me(self.request, self.atendimento)
        with transaction.atomic():
            locked = locked_with_contact(self.atendimento.pk, scope=self.scope)
            closing.reopen(locked, now=self.now, is_started=False, by=me)
            if locked.attendant_id != me.pk:
                forwarding.forward(locked.pk, me, scope=self.scope, now=self.now, by=me)
        return _("Atendimento reaberto com você.")

    def resend(self) -> str:
        """Send a message again that did not arrive."""
        key = self._uuid("message")
        if not self.atendimento.messages.filter(pk=key).exists():
            raise InvalidInput("message", _("A mensagem não é deste atendimento."))
        me = self.model_admin.me(self.request, self.atendimento)
        self.bells |= delivery.send_again(key, scope=self.scope, now=self.now, by=me).bells
        return _("A mensagem será enviada de novo.")

    def send_draft(self) -> str:
        """Send the IA's draft, as it is or as it was changed."""
        me = self.model_admin.me(self.request, self.atendimento)
        key = self._uuid("draft")
        text = self.text.strip()
        done = answering.use_draft(key, me, scope=self.scope, text=text, seen=self._seen(), now=self.now)
        self.bells |= done.bells
        return ""

    def discard_draft(self) -> str:
        """Say that the IA's draft is of no use."""
        if not answering.discard_draft(self._uuid("draft"), scope=self.scope, now=self.now):
            raise Conflict(_("O rascunho já foi usado ou descartado."))
        return _("Rascunho descartado.")

    def call_back(self) -> str:
        """Ask for a call to the requester."""
        maker = timeline.callback_maker()
        if maker is None:
            raise Conflict(_("Não há telefonia configurada."))
        made = maker(self.atendimento, self.request.user, self.now, self._moment("call_at"))  # type: ignore[arg-type]
        me = self.model_admin.me(self.request, self.atendimento)
        writing.write_note(self.atendimento.pk, me, scope=self.scope, text=made.text, now=self.now)
        return made.text

    def report_drop(self) -> str:
        """Say that the conversation's call dropped, and have it made again."""
        reporter = timeline.drop_reporter()
        if reporter is None:
            raise Conflict(_("Não há telefonia configurada."))
        with transaction.atomic():
            what = reporter(self.atendimento, self.request.user, self.now)  # type: ignore[arg-type]
        return _("A ligação caiu: %(what)s.") % {"what": what}

    def _refused(self, name: str, error: DomainError) -> HttpResponse:
        messages.error(self.request, error.message)
        if self.files:
            messages.warning(self.request, _("Nada foi enviado; escolha os arquivos de novo."))
        if name not in _TYPED:
            return HttpResponseRedirect(reverse("admin:helpdesk_atendimento_change", args=[self.atendimento.pk]))
        # The page is made of what holds now, so that sending again knows what was read.
        fresh = self.model_admin.seen(self.request, self.atendimento.pk)
        extra: dict[str, Any] = {"typed": self.text, "typed_as": name, "due_at": self.request.POST.get("due_at", "")}
        if name == "draft_send":
            extra = {"draft_text": self.text}
        response = self.model_admin.page(self.request, fresh, **extra)
        response.status_code = 409 if isinstance(error, Conflict) else 400
        return response

    def _expanded(self) -> str:
        """What was typed, with the ready answers in place of their numbers."""
        found = _SHORTCUT.match(self.text.strip())
        if found is None:
            return self.text
        canned = CannedMessage.objects.filter(
            company_id=self.atendimento.company_id, shortcut=int(found[1]), is_active=True
        ).first()
        if canned is None:
            return self.text
        rest = self.text.strip()[found.end() :]
        return f"{self._filled(canned.text)}{rest}"

    def _filled(self, text: str) -> str:
        me = self.model_admin.me(self.request, self.atendimento)
        return filled_in(text, self.atendimento, now=self.now, attendant=me)

    def _seen(self) -> answering.Seen:
        number = self.request.POST.get("seen", "")
        is_number = number.isdigit() and len(number) < 19
        return answering.Seen(
            number=int(number) if is_number else 0, holder_id=_as_uuid_or_none(self.request.POST.get("holder", ""))
        )

    def _uuid(self, name: str) -> uuid.UUID:
        return _as_uuid(self.request.POST.get(name, ""))

    def _moment(self, name: str) -> datetime | None:
        """The instant of a date-and-time box, by the company's clock; None when it is empty.

        Errors: `InvalidInput`.
        """
        text = self.request.POST.get(name, "").strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise InvalidInput(name, _("A data e a hora não são válidas.")) from error
        return moment if moment.tzinfo else moment.replace(tzinfo=self.atendimento.company.zone)


def _plain(text: str) -> str:
    """The text without what no database keeps."""
    return text.replace("\0", "").strip()


def _as_uuid(text: str) -> uuid.UUID:
    if (key := _as_uuid_or_none(text)) is None:
        raise InvalidInput("id", _("Este identificador não existe."))
    return key


def _as_uuid_or_none(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
