"""Files of messages: what may be stored, under which name, and what becomes of one that no message took."""

from __future__ import annotations

import re
import secrets
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput
from helpdesk.data import NewFile

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from django.core.files import File

    from helpdesk.models import Attachment

MAX_NAME: Final = 120
# Of one message of ours.
MOST_FILES: Final = 10
# A gateway fetches a file at once, a person in the next days.
LINK_SECONDS: Final = 7 * 24 * 3600
# What people send each other, and what no program runs by itself. The type is ours: a sender's word is not believed.
TYPES: Final = {
    "bmp": "image/bmp", "csv": "text/csv", "doc": "application/msword", "gif": "image/gif", "heic": "image/heic",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "eml": "message/rfc822",
    "ics": "text/calendar", "jpeg": "image/jpeg", "jpg": "image/jpeg", "m4a": "audio/mp4", "mov": "video/quicktime",
    "mp3": "audio/mpeg", "mp4": "video/mp4", "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet", "odt": "application/vnd.oasis.opendocument.text",
    "oga": "audio/ogg", "ogg": "audio/ogg", "opus": "audio/ogg", "pdf": "application/pdf", "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint", "rtf": "application/rtf", "txt": "text/plain", "vcf": "text/vcard",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", "wav": "audio/wav",
    "webm": "video/webm", "webp": "image/webp", "xls": "application/vnd.ms-excel", "xml": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "zip": "application/zip",
}  # fmt: skip


def store_file(name: str, content: File[bytes] | bytes, *, now: datetime) -> NewFile:
    """The file, stored under a name that nobody can guess, for a message that is written next.

    Errors: `InvalidInput` for a kind that is not taken, an empty file, and one that is too large.
    Effects: one file; `discard_files` when the message was refused.
    """
    shown = safe_name(name)
    extension = shown.rpartition(".")[2].lower() if "." in shown else ""
    if extension not in TYPES:
        raise InvalidInput("arquivo", _("Este tipo de arquivo não é aceito."))
    file: File[bytes] = ContentFile(content) if isinstance(content, bytes) else content
    size = file.size or 0
    if not size:
        raise InvalidInput("arquivo", _("O arquivo está vazio."))
    if size > settings.ATTACHMENT_MAX_BYTES:
        most = filesizeformat(settings.ATTACHMENT_MAX_BYTES)
        raise InvalidInput("arquivo", _("O arquivo passa de %(most)s.") % {"most": most})
    stored = default_storage.save(f"helpdesk/{now:%Y/%m}/{secrets.token_hex(16)}.{extension}", file)
    return NewFile(name=shown, url="", content_type=TYPES[extension], size=size, stored_name=stored)


@contextmanager
def stored_files(uploads: Sequence[File[bytes]], *, now: datetime) -> Iterator[list[NewFile]]:
    """The uploaded files, stored for the message that the block writes; all of them are gone when the block fails.

    Errors: `InvalidInput`, which names the file, when one of them may not be stored or they are too many.
    """
    if len(uploads) > MOST_FILES:
        raise InvalidInput("arquivo", _("São no máximo %(most)s arquivos por mensagem.") % {"most": MOST_FILES})
    files: list[NewFile] = []
    try:
        for upload in uploads:
            name = upload.name or ""
            try:
                files.append(store_file(name, upload, now=now))
            except InvalidInput as error:
                raise InvalidInput("arquivo", f"“{safe_name(name)}”: {error.message}") from error
        yield files
    except BaseException:
        discard_files(*files)
        raise


def discard_files(*files: NewFile) -> None:
    """Nothing; stored files that no message took are gone."""
    for file in files:
        if file.stored_name:
            default_storage.delete(file.stored_name)


def signed_links(files: Iterable[Attachment]) -> tuple[str, ...]:
    """Where whoever has the link can fetch each file, for a week; that of a file kept elsewhere is its own."""
    return tuple(
        file.url or f"{settings.PUBLIC_URL}/chat/anexos/{file.hash}?assinatura={_signer().sign(str(file.hash))}"
        for file in files
    )


def is_signed(key: uuid.UUID, signature: str) -> bool:
    """Whether the signature of a link is ours, for that file and not too old."""
    try:
        return _signer().unsign(signature, max_age=LINK_SECONDS) == str(key)
    except BadSignature:
        return False


def safe_name(name: str) -> str:
    """The last part of a path as a person may read it: no control or direction-changing letters, no separators."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C")
    plain = re.sub(r'[<>:"|?*\s]+', " ", plain).strip(" .")
    stem, dot, extension = plain.rpartition(".")
    if not dot:
        return plain[:MAX_NAME] or "arquivo"
    return f"{stem.strip()[: MAX_NAME - len(extension[:16]) - 1] or 'arquivo'}.{extension[:16]}"


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="helpdesk.attachments")
