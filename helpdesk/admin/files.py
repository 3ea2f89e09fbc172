"""The files of messages for staff: always a download, never a page of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import FileResponse, Http404, HttpResponseRedirect

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from helpdesk.models import Attachment


def attachment_response(attachment: Attachment) -> HttpResponseBase:
    """The file as a download that no browser takes for a page, or the way to where its medium keeps it.

    Errors: `Http404` when there is neither.
    """
    if not attachment.file:
        if not attachment.url.startswith(("https://", "http://")):
            raise Http404
        return HttpResponseRedirect(attachment.url)
    try:
        opened = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(opened, as_attachment=True, filename=attachment.name)
    response["Content-Type"] = attachment.content_type or "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
