"""Stored files as downloads: never a page of ours, whatever is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.views.decorators.http import require_safe

from callcenter.accounts.models import User
from helpdesk.models import Attachment
from helpdesk.services.attachments import is_signed

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse


def file_response(attachment: Attachment) -> HttpResponse:
    """The stored file as an attachment.

    Errors: `Http404` when the storage has lost it.
    """
    try:
        opened = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(opened, as_attachment=True, filename=attachment.name)
    response["Content-Type"] = "application/octet-stream"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    shown: HttpResponse = response  # type: ignore[assignment]  # a stream, which every caller may send
    return shown


@require_safe
def download(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A file for staff of its company, or for whoever got its signed link."""
    files = Attachment.objects.filter(message__atendimento__deleted_at=None).exclude(file="")
    if not is_signed(key, request.GET.get("assinatura", "")):
        user = request.user
        if not isinstance(user, User) or not user.is_staff:
            return redirect_to_login(request.get_full_path())
        if not user.has_perm("helpdesk.view_message"):
            raise PermissionDenied
        files = files.filter(pk__in=Attachment.objects.visible_to(user.company_scope).values("pk"))
        if not user.has_perm("helpdesk.assign_atendimento"):
            # Whoever may see a private conversation gets its files on its page in the admin.
            files = files.filter(message__atendimento__is_private=False)
    else:
        # A note's file gets no link; nor does the link of a message open one.
        files = files.filter(message__is_internal=False)
    attachment = files.filter(hash=key).first()
    if attachment is None:
        raise Http404
    return file_response(attachment)
