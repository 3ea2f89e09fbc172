"""The site chat's JSON: a channel's greeting card, opening, writing, reading, files; and the demo page."""

from __future__ import annotations

import unicodedata
import uuid
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from callcenter.lib.errors import InvalidInput, NotFound
from callcenter.lib.secrets import digest
from helpdesk.chat import doors
from helpdesk.chat.downloads import file_response
from helpdesk.chat.embedding import page_with_widget
from helpdesk.models import Contact
from helpdesk.selectors import chat
from helpdesk.services.attachments import discard_files, store_file
from helpdesk.services.contacts import contact_at
from helpdesk.services.writing import receive_message, receive_message_in
from helpdesk.states import Platform
from helpdesk.tasks import ring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http.response import HttpResponseBase

    from helpdesk.data import Done, NewFile
    from helpdesk.models import Channel
    from helpdesk.selectors.chat import Conversation

# Of a visitor; a customer's letter goes by e-mail.
MAX_TEXT: Final = 4_000
# Room for the form's other fields around a file.
_AROUND: Final = 64 * 1024


def _origins_of_channel(key: uuid.UUID) -> tuple[str, ...] | None:
    channel = chat.site_channel(key)
    return None if channel is None else chat.origins_of(channel)


def _origins_of_conversation(key: uuid.UUID) -> tuple[str, ...] | None:
    conversation = chat.conversation(key)
    return None if conversation is None else conversation.origins


@doors.door("GET", origins_for=_origins_of_channel)
def card(_request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Whose chat it is, where its streams are, and what may be attached."""
    channel = _channel(key)
    return JsonResponse(
        {
            "titulo": channel.title,
            "empresa": channel.company.name,
            "eventos": settings.CHAT_STREAM_URL or settings.PUBLIC_URL,
            "arquivo_maximo": settings.ATTACHMENT_MAX_BYTES,
        }
    )


@doors.door("POST", origins_for=_origins_of_channel)
def open_conversation(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A new conversation by its first message; the same `id` again opens no second one."""
    channel, body, now = _channel(key), doors.body_of(request), timezone.now()
    client_id, text = _client_id(body), _text(body)
    doors.allow_opening(request, now=now)
    # The visitor is whoever made this id up; it is random, and kept as a digest like any secret.
    address = contact_at(
        channel.company_id, platform=Platform.SITE_CHAT, address=digest(f"{key} {client_id}")[:32], now=now
    )
    if name := _name(body):
        Contact.objects.filter(pk=address.contact_id, name="").update(name=name)
    done = receive_message(
        address.contact,
        channel,
        text=text,
        now=now,
        address=address,
        external_id=f"{chat.CLIENT_ID}{client_id}",
    )
    return _receipt(done, contact_id=address.contact_id)


@doors.door("GET", "POST", origins_for=_origins_of_conversation)
def messages(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What was said since `?depois=`, or a message more; after the end it begins the next conversation."""
    conversation = _conversation(key)
    if request.method == "GET":
        after = request.GET.get("depois", "0")
        number = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0
        found = chat.messages_after(conversation, number)
        return JsonResponse({"mensagens": found, "estado": chat.states_of([key]).get(key)})
    body, now = doors.body_of(request), timezone.now()
    client_id, text = _client_id(body), _text(body)
    doors.allow_message(key, now=now)
    return _written(conversation, client_id, text)


@doors.door("POST", origins_for=_origins_of_conversation)
def upload(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A message with a file."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > settings.ATTACHMENT_MAX_BYTES + _AROUND:
        return doors.refusal(413, _("O arquivo é grande demais."))
    conversation, now = _conversation(key), timezone.now()
    client_id, sent = _client_id(request.POST.dict()), request.FILES.get("arquivo")
    if sent is None:
        raise InvalidInput("arquivo", _("Falta o arquivo."))
    text = _text(request.POST.dict(), may_be_empty=True)
    doors.allow_message(key, now=now)
    file = store_file(sent.name or "", sent, now=now)
    try:
        return _written(conversation, client_id, text, files=[file])
    except BaseException:
        discard_files(file)
        raise


@doors.door("GET", origins_for=_origins_of_conversation)
def download(_request: HttpRequest, key: uuid.UUID, file: uuid.UUID) -> HttpResponse:
    """A file of the conversation, as a download and never as a page."""
    attachment = chat.attachment_in(_conversation(key), file)
    if attachment is None or not attachment.file:
        return doors.refusal(404, _("Este arquivo não existe."))
    return file_response(attachment)


@require_safe
def demo(request: HttpRequest) -> HttpResponseBase:
    """A shop's page with the widget on it, where there is demo data."""
    channel = chat.demo_channel()
    if channel is None:
        raise Http404
    return page_with_widget(request, channel, "helpdesk/chat_demo.html")


def _channel(key: uuid.UUID) -> Channel:
    channel = chat.site_channel(key)
    if channel is None:
        raise NotFound
    return channel


def _conversation(key: uuid.UUID) -> Conversation:
    conversation = chat.conversation(key)
    if conversation is None:
        raise NotFound
    return conversation


def _written(
    conversation: Conversation, client_id: uuid.UUID, text: str, files: Sequence[NewFile] = ()
) -> HttpResponse:
    done = receive_message_in(
        conversation.id,
        scope=[conversation.company_id],
        text=text,
        now=timezone.now(),
        external_id=f"{chat.CLIENT_ID}{client_id}",
        files=files,
    )
    if not done.has_changed:
        discard_files(*files)
    return _receipt(done, contact_id=conversation.contact_id)


def _receipt(done: Done, *, contact_id: uuid.UUID | None) -> HttpResponse:
    message = done.message
    # An id that another visitor made up first is no way into their conversation.
    if message is None or message.contact_id != contact_id:
        raise InvalidInput("id", _("Este id já foi usado."))
    ring(done.bells)
    return JsonResponse({"hash": str(done.atendimento.hash), "numero": message.number})


def _client_id(body: dict[str, Any]) -> uuid.UUID:
    """The id that the page gave its message: random, so that a repetition is known as one."""
    try:
        return uuid.UUID(str(body.get("id")))
    except ValueError as error:
        raise InvalidInput("id", _("Falta o id da mensagem, um UUID.")) from error


def _name(body: dict[str, Any]) -> str:
    """What the visitor wants to be called, in one line and without what no database keeps; empty for none."""
    name = body.get("nome")
    if not isinstance(name, str):
        return ""
    plain = "".join(letter for letter in name if letter.isspace() or unicodedata.category(letter)[0] != "C")
    return " ".join(plain.split())[:160]


def _text(body: dict[str, Any], *, may_be_empty: bool = False) -> str:
    text = body.get("mensagem")
    if text is None and may_be_empty:
        return ""
    if not isinstance(text, str) or len(text) > MAX_TEXT or not (text.strip() or may_be_empty):
        raise InvalidInput("mensagem", _("Escreva uma mensagem de até %(most)s letras.") % {"most": MAX_TEXT})
    return text
