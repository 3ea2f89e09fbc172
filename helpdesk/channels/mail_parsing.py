"""A mail as a message: who wrote, to which conversation, what is new in it, and its files. Never fails on bad MIME."""

from __future__ import annotations

import email.header
import email.policy
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from helpdesk.channels.email import EXTERNAL, conversation_in

if TYPE_CHECKING:
    import uuid

MOST_FILES: Final = 10
_RECIPIENTS: Final = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
# Where a mail program puts what is being answered.
_QUOTE_BEGINS: Final = re.compile(
    r"^\s*(?:"
    r"(?:Em|No dia|On|Am|El)\b.{0,200}(?:escreveu|wrote|schrieb|escribió)\s*:"
    r"|-{3,}\s*(?:Mensagem original|Original Message|Mensagem encaminhada|Forwarded message)\s*-{3,}"
    r"|_{10,}"
    r"|(?:De|From):\s.{1,200}\n\s*(?:Enviad[ao](?: em)?|Sent|Data|Date|Para|To):\s"
    r")",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_SIGNATURE: Final = re.compile(r"^-- ?$", re.MULTILINE)
# What is answered stands in a blockquote.
_SKIPPED: Final = frozenset({"script", "style", "head", "title", "blockquote"})
_BREAKS: Final = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table"})


@dataclass(frozen=True)
class MailFile:
    """A file of a mail."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """What counts of a mail. `external_id` is its Message-ID, or a digest of it all; `conversation` = the hash in an
    address of ours. `is_automatic` = a program wrote it, and must get no answer."""

    external_id: str
    sender: str
    sender_name: str
    subject: str
    text: str
    conversation: uuid.UUID | None
    is_automatic: bool
    files: tuple[MailFile, ...]


def parsed(raw: bytes) -> Mail:
    """What counts of the mail; whatever can't be read is left out."""
    mail = message_from_bytes(raw, policy=email.policy.compat32.clone(raise_on_defect=False))
    name, sender = parseaddr(_header(mail, "From"))
    recipients = getaddresses([_header(mail, field) for field in _RECIPIENTS])
    named = [key for _name, address in recipients if (key := conversation_in(address)) is not None]
    text, files = _content(mail)
    return Mail(
        external_id=_external_id(mail, raw),
        sender=sender.strip().lower(),
        sender_name=_plain(name)[:160],
        subject=_plain(_header(mail, "Subject"))[:200],
        text=_plain(without_quotes(text), keep_lines=True),
        conversation=named[0] if named else None,
        is_automatic=_is_automatic(mail),
        files=tuple(files[:MOST_FILES]),
    )


def without_quotes(text: str) -> str:
    """The new part of an answer: without what is answered and without the signature; all of it when that is nothing."""
    whole = text.replace("\r\n", "\n").strip()
    begins = _QUOTE_BEGINS.search(whole)
    new = whole[: begins.start()] if begins else whole
    new = _SIGNATURE.split(new)[0]
    lines = new.rstrip().splitlines()
    while lines and lines[-1].lstrip().startswith(">"):
        lines.pop()
    return "\n".join(lines).strip() or whole


def _external_id(mail: Message, raw: bytes) -> str:
    found = re.search(r"<[^<>\s]{1,170}>", _header(mail, "Message-ID"))
    return EXTERNAL + (found[0] if found else hashlib.sha256(raw).hexdigest())


def _is_automatic(mail: Message) -> bool:
    """Whether a program sent it. Source: RFC 3834, and what list programs and servers add."""
    submitted = _header(mail, "Auto-Submitted").lower()
    precedence = _header(mail, "Precedence").lower()
    is_bounce = _header(mail, "Return-Path").strip() == "<>" or mail.get_content_type() == "multipart/report"
    return (submitted not in {"", "no"}) or precedence in {"bulk", "junk", "list", "auto_reply"} or is_bounce


def _content(mail: Message) -> tuple[str, list[MailFile]]:
    plain, html = "", ""
    files: list[MailFile] = []
    for part in mail.walk():
        if part.is_multipart():
            continue
        name, kind = _file_name(part), part.get_content_type()
        if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and payload:
                files.append(MailFile(name or f"anexo.{kind.rpartition('/')[2][:8]}", payload))
        elif kind == "text/html":
            html = html or _decoded(part)
        else:
            plain = plain or _decoded(part)
    return plain if plain.strip() else _text_of(html), files


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return str(part.get_payload())
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return payload.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return payload.decode("latin-1")


def _file_name(part: Message) -> str:
    try:
        return _header_text(part.get_filename() or "")
    except (LookupError, ValueError, TypeError):
        return ""


def _header(mail: Message, name: str) -> str:
    return _header_text(str(mail.get(name, "") or ""))


def _header_text(text: str) -> str:
    """A header with its encoded words read (RFC 2047)."""
    try:
        return str(email.header.make_header(email.header.decode_header(text)))
    except (LookupError, ValueError, UnicodeError):
        return text


def _plain(text: str, *, keep_lines: bool = False) -> str:
    """The text without what no database keeps; in one line unless told otherwise."""
    kept = "".join(
        letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cs", "Cn"}
    )
    return kept.strip() if keep_lines else " ".join(kept.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(" ".join(data.split()) if data.strip() else " ")


def _text_of(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    lines = [line.strip() for line in "".join(reader.parts).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
