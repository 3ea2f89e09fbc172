"""The search over contacts and messages: what a person typed, and the rows it leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import BooleanField, F, Q, TextField
from django.db.models.expressions import RawSQL

from callcenter.lib.database import is_postgresql
from helpdesk.models import Atendimento, Contact, Message
from helpdesk.models.text_search import CONTACT_TEXT, MESSAGE_WORDS, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

# A search shows so many rows of each kind; whoever needs more types more.
LIMIT: Final = 30
# Words of the question that are looked for; the rest of a pasted paragraph would only make it slow.
_MOST_WORDS: Final = 8
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"#?[\d\s().+\-/]*\d[\d\s().+\-/]*")
# Fewer digits than this are in too many phone numbers to be one.
_FEWEST_PHONE_DIGITS: Final = 4
_SNIPPET_BEFORE, _SNIPPET_LENGTH = 40, 160
# So many of the newest messages are looked through before the index of words is asked: a common word is found among
# them at once, and what is not is so rare that the index has few rows to fetch and sort.
_NEWEST: Final = 20_000


@dataclass(frozen=True)
class Found:
    """What a search found: conversations whose number it is, contacts, and messages, the newest first."""

    atendimentos: Sequence[Atendimento] = ()
    contacts: Sequence[Contact] = ()
    messages: Sequence[Message] = ()

    def __bool__(self) -> bool:
        return bool(self.atendimentos or self.contacts or self.messages)


def search(text: str, *, scope: Iterable[int] | None, limit: int = LIMIT) -> Found:
    """What contacts, conversations and messages of the companies in `scope` (None = all) hold this text.

    Accents and capitals don't matter; every word must be there, the last letters of each may be missing. A number is a
    protocol, and part of a phone. Nothing for a text without a letter or digit. Five queries at most, each bounded.
    """
    scope = None if scope is None else list(scope)
    # NUL can be in no column, and PostgreSQL refuses it in a question too.
    text = text.replace("\x00", " ").strip()
    words = _WORD.findall(fold(text) or "")[:_MOST_WORDS]
    if not words:
        return Found()
    digits = re.sub(r"\D", "", text) if _NUMBER.fullmatch(text) else ""
    return Found(
        _numbered(digits, scope=scope, limit=limit) if digits else (),
        _contacts(words, digits, scope=scope, limit=limit),
        _messages(words, scope=scope, limit=limit),
    )


def snippet(message: Message, text: str) -> str:
    """The part of the message around the first word of the search, cut at both ends with an ellipsis."""
    folded = fold(message.text) or ""
    places = [place for word in _WORD.findall(fold(text) or "") if (place := folded.find(word)) >= 0]
    start = max(min(places, default=0) - _SNIPPET_BEFORE, 0)
    part = " ".join(message.text[start : start + _SNIPPET_LENGTH].split())
    return ("…" if start else "") + part + ("…" if start + _SNIPPET_LENGTH < len(message.text) else "")


def highlighted(part: str, text: str) -> list[tuple[str, bool]]:
    """A snippet in pieces, each with whether it is what the search asked for."""
    words = sorted({re.escape(word) for word in _WORD.findall(fold(text) or "")[:_MOST_WORDS]}, key=len, reverse=True)
    if not words:
        return [(part, False)]
    # Folding keeps every letter's place. Words are found by how they begin, so inside of others nothing is marked.
    pieces, at = [], 0
    for match in re.finditer(rf"(?<!\w)(?:{'|'.join(words)})", fold(part) or ""):
        pieces += [(part[at : match.start()], False), (part[match.start() : match.end()], True)]
        at = match.end()
    return [(piece, is_sought) for piece, is_sought in [*pieces, (part[at:], False)] if piece]


def _numbered(digits: str, *, scope: Sequence[int] | None, limit: int) -> list[Atendimento]:
    if len(digits) > 18:
        return []
    rows = Atendimento.objects.living().visible_to(scope).select_related("contact", "company")
    return list(rows.filter(company_number=int(digits)).order_by("-number")[:limit])


def _contacts(words: Sequence[str], digits: str, *, scope: Sequence[int] | None, limit: int) -> list[Contact]:
    rows = Contact.objects.visible_to(scope).select_related("company")
    if digits:
        if len(digits) < _FEWEST_PHONE_DIGITS:
            return []
        # As people type it: with a trunk 0 or without.
        part = digits.removeprefix("0")
        found = rows.filter(Q(phone_e164__contains=part) | Q(whatsapp_e164__contains=part))
    else:
        found = rows.annotate(folded_text=RawSQL(CONTACT_TEXT, (), output_field=TextField()))
        for word in words:
            found = found.filter(folded_text__contains=word)
    return list(found.order_by("name", "created_at")[:limit])


def _messages(words: Sequence[str], *, scope: Sequence[int] | None, limit: int) -> list[Message]:
    rows = Message.objects.filter(atendimento__deleted_at=None)
    rows = rows.select_related("atendimento__contact", "attendant", "company")
    ours = rows.visible_to(scope)
    if not is_postgresql():
        return list(_with_parts(ours, words).order_by("-number")[:limit])
    # The words hold letters, digits and _ only, so quoting them is enough.
    question = " & ".join(f"'{word}':*" for word in words)
    newest = _among_newest(ours, question, limit=limit)
    return _by_index(rows, question, scope=scope, limit=limit) if newest is None else newest


def _among_newest(rows: QuerySet[Message], question: str, *, limit: int) -> list[Message] | None:
    """The list, from the newest messages of the installation; None when they don't fill it and there are others."""
    # Numbers have hardly any gaps, and counting back is a look at one row.
    last = Message.objects.order_by("-number").values_list("number", flat=True).first() or 0
    # Not as a bare condition, which the planner would look up by the index of words.
    condition = _condition(f"({MESSAGE_WORDS} @@ to_tsquery('simple', %s)) IS TRUE", question)
    newest = rows.filter(condition, number__gt=last - _NEWEST).order_by("-number")[:limit]
    found = list(newest)
    return found if len(found) == limit or last <= _NEWEST else None


def _by_index(rows: QuerySet[Message], question: str, *, scope: Sequence[int] | None, limit: int) -> list[Message]:
    """By the index of words, each of them perhaps unfinished.

    PostgreSQL takes an unfinished word for a common one. `+ 0` keeps it from walking all messages by number, and from
    reading a whole company's index beside; the process id, from starting workers, which takes longer than the few rows.
    """
    found = rows.filter(_condition(f"{MESSAGE_WORDS} @@ to_tsquery('simple', %s)", question))
    found = found.filter(_condition("helpdesk_message.number > %s - pg_backend_pid()", 0))
    if scope is not None:
        found = found.annotate(of_company=F("company_id") + 0).filter(of_company__in=scope)
    return list(found.order_by((F("number") + 0).desc())[:limit])


def _with_parts(rows: QuerySet[Message], words: Sequence[str]) -> QuerySet[Message]:
    """SQLite: messages are read from the newest on until there are enough."""
    for word in words:
        rows = rows.filter(_condition("instr(helpdesk_fold(helpdesk_message.text), %s) > 0", word))
    return rows


def _condition(sql: str, parameter: str | int) -> RawSQL:
    return RawSQL(sql, (parameter,), output_field=BooleanField())
