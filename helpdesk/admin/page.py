"""What the page of one conversation shows, and the part of it that changes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.utils import timezone

from callcenter.lib.admin import may_open
from callcenter.lib.phones import display
from helpdesk import timeline
from helpdesk.admin.columns import holder_name, state_badge
from helpdesk.chat.tickets import stream_url
from helpdesk.models import Attendant, CannedMessage, Tag, Team
from helpdesk.selectors import thread
from helpdesk.selectors.canned import filled_in
from helpdesk.services.attachments import MOST_FILES, TYPES
from helpdesk.services.reading import mark_read
from helpdesk.states import HELD, PHONE_PLATFORMS, Category, Platform, S

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from helpdesk.admin.atendimentos import AtendimentoAdmin
    from helpdesk.models import Atendimento

_MOST_CANNED = 200


def page_context(request: HttpRequest, model_admin: AtendimentoAdmin, atendimento: Atendimento) -> dict[str, Any]:
    """The whole page."""
    now = timezone.now()
    me = Attendant.objects.filter(company_id=atendimento.company_id, user=request.user.pk).first()
    return {
        **snapshot(request, model_admin, atendimento, me=me),
        "title": str(atendimento.contact or atendimento.title or atendimento.protocol),
        "canned": _canned(atendimento, me, now=now),
        "people": list(Attendant.objects.filter(company_id=atendimento.company_id, is_active=True)),
        "teams": list(Team.objects.filter(company_id=atendimento.company_id, is_active=True)),
        "categories": Category.choices,
        "all_tags": list(Tag.objects.filter(company_id=atendimento.company_id)),
        "others": thread.others_of(atendimento),
        "contact_entries": [
            {"entry": one, "url": one.url if one.url and may_open(request, one.url) else ""}
            for one in (timeline.entries(atendimento.contact) if atendimento.contact else [])
            if one.kind != "conversation"
        ][:8],
        "can_call": timeline.callback_maker() is not None and request.user.has_perm("requests_app.add_callrequest"),
        "file_kinds": ",".join(f".{extension}" for extension in TYPES),
        "file_limit": settings.ATTACHMENT_MAX_BYTES,
        "most_files": MOST_FILES,
        **_numbers(atendimento),
        "has_call": atendimento.platform == Platform.PHONE and atendimento.call_request_id is not None,
        "stream_url": stream_url(atendimento.pk, user_id=request.user.pk or 0),
    }


def snapshot(
    request: HttpRequest, model_admin: AtendimentoAdmin, atendimento: Atendimento, *, me: Attendant | None
) -> dict[str, Any]:
    """What changes by itself: the thread, who holds it, drafts, and what is to be sent later."""
    window = thread.thread_of(atendimento, around=_number(request, "m"), before=_number(request, "antes"))
    shown_tags = list(atendimento.tags.all())
    user = request.user
    is_mine = me is not None and atendimento.attendant_id == me.pk
    return {
        "atendimento": atendimento,
        "thread": window,
        "found_number": _number(request, "m"),
        "seen": thread.atendimento_last(atendimento),
        "state": state_badge(atendimento),
        "holder": holder_name(atendimento),
        "is_mine": is_mine,
        "is_free": atendimento.is_open and atendimento.state not in HELD,
        "is_automatic": atendimento.state == S.AUTOMATIC,
        "draft": thread.open_draft(atendimento) if atendimento.is_open else None,
        "scheduled": thread.pending_messages(atendimento),
        "hands": thread.hands_of(atendimento),
        "shown_tags": shown_tags,
        "tag_ids": {tag.pk for tag in shown_tags},
        "can_answer": user.has_perm("helpdesk.answer_atendimento"),
        "can_forward": user.has_perm("helpdesk.assign_atendimento") or is_mine,
        "can_close": user.has_perm("helpdesk.close_atendimento"),
        "can_resend": user.has_perm("helpdesk.resend_message"),
        "can_schedule": user.has_perm("helpdesk.add_scheduledmessage"),
        "can_change": user.has_perm("helpdesk.change_atendimento"),
        "version": thread.version_of(atendimento),
    }


def fragment_response(
    request: HttpRequest, model_admin: AtendimentoAdmin, atendimento: Atendimento
) -> HttpResponseBase:
    """The live part as HTML; 304, after three cheap queries, when the caller has it already."""
    etag = f'"{thread.version_of(atendimento)}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    me = Attendant.objects.filter(company_id=atendimento.company_id, user=request.user.pk).first()
    if me is not None and atendimento.attendant_id == me.pk and mark_read(atendimento, now=timezone.now()):
        etag = f'"{thread.version_of(atendimento)}"'
    context = snapshot(request, model_admin, atendimento, me=me)
    html = render_to_string("admin/helpdesk/atendimento/live.html", context, request)
    return HttpResponse(html, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


def _canned(atendimento: Atendimento, me: Attendant | None, *, now: datetime) -> list[dict[str, Any]]:
    """The ready answers that fit the medium, their variables filled in."""
    rows = CannedMessage.objects.filter(company_id=atendimento.company_id, is_active=True).order_by("shortcut", "title")
    return [
        {
            "id": one.pk,
            "title": one.title,
            "shortcut": "" if one.shortcut is None else one.shortcut,
            "text": filled_in(one.text, atendimento, now=now, attendant=me),
        }
        for one in rows[:_MOST_CANNED]
        if one.platform in {None, atendimento.platform}
    ]


def _numbers(atendimento: Atendimento) -> dict[str, str]:
    """The contact's numbers, and the address of the conversation, as people write them."""
    contact, address = atendimento.contact, atendimento.address
    is_phone = address is not None and address.platform in PHONE_PLATFORMS
    text = "" if address is None else display(address.address) if is_phone else address.address
    return {
        "phone_text": display(contact.phone_e164) if contact else "",
        "whatsapp_text": display(contact.whatsapp_e164) if contact else "",
        # A visitor's address is a digest, which says nothing to anybody.
        "address_text": "" if address is not None and address.platform == Platform.SITE_CHAT else text,
    }


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdigit() and len(text) < 19 else None
