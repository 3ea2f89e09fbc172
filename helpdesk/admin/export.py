"""The history of conversations for the one who asked: a page to print, CSV and JSON; never a note.

Source: Decreto 11.034/2022, art. 12 and 13: the consumer may have the history of their demands, by protocol.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.selectors.thread import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from helpdesk.models import Atendimento, Message

# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def history_response(request: HttpRequest, atendimentos: Sequence[Atendimento], *, title: str) -> HttpResponse:
    """The history in the form that `?formato=` names: `csv`, `json`, or a page to print."""
    messages = spoken([one.pk for one in atendimentos])
    form = request.GET.get("formato", "")
    if form == "csv":
        return _file(_csv(messages), "text/csv; charset=utf-8", "historico.csv")
    if form == "json":
        text = json.dumps(_document(atendimentos, messages), ensure_ascii=False, indent=2)
        return _file(text, "application/json", "historico.json")
    by_one: dict[Any, list[Message]] = {one.pk: [] for one in atendimentos}
    for message in messages:
        by_one[message.atendimento_id].append(message)
    context = {
        "title": title,
        "printed_at": timezone.now(),
        "atendimentos": [{"row": one, "messages": by_one[one.pk]} for one in atendimentos],
    }
    response = render(request, "admin/helpdesk/history.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def safe_cell(text: str) -> str:
    """The text as a cell that no spreadsheet calculates."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def author_of(message: Message) -> str:
    """Who wrote it, as the requester knows them."""
    if message.is_inbound:
        return str(message.contact or message.atendimento.contact or _("Solicitante"))
    return message.attendant.name if message.attendant else _("Automático")


def _csv(messages: Sequence[Message]) -> str:
    sheet = io.StringIO()
    # Spreadsheets of a Brazilian desktop expect the mark and the semicolon.
    sheet.write("\ufeff")
    writer = csv.writer(sheet, delimiter=";", lineterminator="\r\n")
    writer.writerow([_("Protocolo"), _("Data"), _("Quem"), _("Lado"), _("Mensagem"), _("Arquivos")])
    for message in messages:
        side = _("solicitante") if message.is_inbound else _("empresa")
        files = ", ".join(file.name for file in message.attachments.all())
        cells = [message.atendimento.protocol, _clock(message), author_of(message), side, message.text, files]
        writer.writerow([safe_cell(cell) for cell in cells])
    return sheet.getvalue()


def _document(atendimentos: Sequence[Atendimento], messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [
        {
            "protocolo": one.protocol,
            "empresa": one.company.name,
            "solicitante": str(one.contact or ""),
            "canal": str(one.channel or one.get_platform_display()),
            "abertura": one.created_at.isoformat(),
            "termino": one.closed_at.isoformat() if one.closed_at else None,
            "mensagens": [
                {
                    "data": message.created_at.isoformat(),
                    "quem": author_of(message),
                    "do_solicitante": message.is_inbound,
                    "automatica": message.is_automatic,
                    "texto": message.text,
                    "arquivos": [file.name for file in message.attachments.all()],
                }
                for message in messages
                if message.atendimento_id == one.pk
            ],
        }
        for one in atendimentos
    ]


def _clock(message: Message) -> str:
    return timezone.localtime(message.created_at, message.company.zone).strftime("%d/%m/%Y %H:%M:%S")


def _file(text: str, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        text,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )
