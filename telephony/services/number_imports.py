"""Reading a file of millions of numbers into a do-not-call list: batch by batch, to be gone on with after a stop.

The numbers are hashed as they are read; no file is kept and no number is stored or printed.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.database import is_postgresql
from callcenter.lib.errors import Conflict
from callcenter.lib.number_digests import key_check, number_hex
from telephony.models import DoNotCallImport, DoNotCallList
from telephony.rule_terms import RENEWED_LISTS
from telephony.services.number_files import BadLine, Layout, layout_of, number_in
from telephony.services.rule_snapshot import mark_changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from callcenter.accounts.models import User

BATCH_LINES: Final = 20_000
# So many problems are told by line; the rest is counted.
TOLD_PROBLEMS: Final = 100
_REMOVED_AT_ONCE: Final = 20_000

State = DoNotCallImport.State


def start_import(
    target: DoNotCallList, *, file_name: str, listed_on: date, replaces: bool, actor: User | None, now: datetime
) -> DoNotCallImport:
    """A new import into the list, of which no line is read yet.

    `listed_on` = the day from which the list's term counts for numbers whose line has no date of its own. `replaces` =
    the file is the whole list: what earlier imports brought and it lacks is taken off in the end.

    Errors: `Conflict` when the list's digests were made with another key.
    """
    if target.key_check != key_check():
        if target.numbers:
            raise Conflict(_("Esta lista foi feita com outra chave (TOKEN_PEPPER); esvazie-a antes de importar."))
        DoNotCallList.objects.filter(pk=target.pk).update(key_check=key_check())
        mark_changed()
    return DoNotCallImport.objects.create(
        list=target, file_name=file_name[:200], listed_on=listed_on, replaces=replaces, actor=actor, started_at=now
    )


def read_into(import_id: int, lines: Iterable[bytes]) -> DoNotCallImport:
    """The import, done: every line from the first one that it had not read before.

    Give it the same file from its beginning, whether it is new or was stopped: lines that are done are passed over.

    Errors: `Conflict` when it is done, or when another process reads it at the same time.
    Effects: one transaction a batch.
    """
    one = DoNotCallImport.objects.select_related("list").get(pk=import_id)
    if one.state != State.RUNNING:
        raise Conflict(_("Esta importação já foi concluída."))
    texts = (_decoded(line).rstrip("\r\n") for line in lines)
    layout: Layout | None = None
    done = 0
    while batch := list(islice(texts, BATCH_LINES)):
        if layout is None:
            layout = layout_of(batch[0])
        if done + len(batch) > one.lines:
            _read_batch(one, batch[max(0, one.lines - done) :], layout)
        done += len(batch)
    removed = _remove_unseen(one) if one.replaces else 0
    DoNotCallImport.objects.filter(pk=one.pk, state=State.RUNNING).update(
        state=State.DONE, removed=removed, finished_at=timezone.now()
    )
    one.refresh_from_db()
    return one


def empty_list(target: DoNotCallList) -> int:
    """How many numbers were taken off the list, all of them; it then belongs to today's key."""
    removed = _delete_where("list_id = %s", [target.pk])
    DoNotCallList.objects.filter(pk=target.pk).update(numbers=0, key_check=key_check(), updated_at=timezone.now())
    mark_changed()
    return removed


def _decoded(line: bytes) -> str:
    """The line as text; what is not UTF-8 is what Windows programs here write, “Número” above a column included."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _read_batch(one: DoNotCallImport, lines: Sequence[str], layout: Layout) -> None:
    first = one.lines + 1
    found: dict[str, date] = {}
    problems: list[list[Any]] = []
    blank = 0
    decisive = max if one.list.kind in RENEWED_LISTS else min
    for number, line in enumerate(lines, start=first):
        if not line.strip() or (number == 1 and layout.has_header):
            blank += 1
            continue
        try:
            phone, day = number_in(line, layout)
        except BadLine as error:
            problems.append([number, str(error)])
            continue
        digest = number_hex(phone)
        day = day or one.listed_on
        found[digest] = decisive(day, found.get(digest, day))
    with transaction.atomic():
        added = _store(one, found, is_dated=layout.listed_on >= 0)
        one.problems = (one.problems + problems)[:TOLD_PROBLEMS]
        moved = DoNotCallImport.objects.filter(pk=one.pk, state=State.RUNNING, lines=one.lines).update(
            lines=F("lines") + len(lines),
            added=F("added") + added,
            known=F("known") + len(lines) - blank - len(problems) - added,
            refused=F("refused") + len(problems),
            problems=one.problems,
        )
        if not moved:
            raise Conflict(_("Outro processo está lendo esta importação."))
        DoNotCallList.objects.filter(pk=one.list_id).update(numbers=F("numbers") + added, updated_at=timezone.now())
    one.lines += len(lines)


def _store(one: DoNotCallImport, found: dict[str, date], *, is_dated: bool) -> int:
    """How many of these digests are new on the list; the others are marked as seen when the import replaces.

    Where the file has dates, the earlier one counts (the later one where a term can run anew).
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS do_not_call_batch")
        kind = "uuid" if is_postgresql() else "char(32)"
        cursor.execute(f"CREATE TEMPORARY TABLE do_not_call_batch (number_digest {kind}, listed_on date)")
        _fill(cursor, found)
        if one.replaces:
            cursor.execute(
                "UPDATE telephony_donotcallentry SET seen_in_id = %s FROM do_not_call_batch b"
                " WHERE telephony_donotcallentry.number_digest = b.number_digest"
                " AND telephony_donotcallentry.list_id = %s AND telephony_donotcallentry.seen_in_id IS NOT NULL",
                [one.pk, one.list_id],
            )
        if is_dated:
            sign = ">" if one.list.kind in RENEWED_LISTS else "<"
            cursor.execute(
                "UPDATE telephony_donotcallentry SET listed_on = b.listed_on FROM do_not_call_batch b"
                " WHERE telephony_donotcallentry.number_digest = b.number_digest"
                f" AND telephony_donotcallentry.list_id = %s AND b.listed_on {sign} telephony_donotcallentry.listed_on",
                [one.list_id],
            )
        cursor.execute(
            "INSERT INTO telephony_donotcallentry (list_id, number_digest, listed_on, added_at, reason, seen_in_id)"
            " SELECT %s, b.number_digest, b.listed_on, %s, '', %s FROM do_not_call_batch b WHERE true"
            " ON CONFLICT (number_digest, list_id) DO NOTHING",
            [one.list_id, timezone.now(), one.pk],
        )
        added: int = cursor.rowcount
        cursor.execute("DROP TABLE do_not_call_batch")
    return added


def _fill(cursor: Any, found: dict[str, date]) -> None:
    if is_postgresql():
        with cursor.copy("COPY do_not_call_batch (number_digest, listed_on) FROM STDIN") as copy:
            copy.write("".join(f"{digest}\t{day.isoformat()}\n" for digest, day in found.items()))
        return
    cursor.executemany(
        "INSERT INTO do_not_call_batch (number_digest, listed_on) VALUES (%s, %s)",
        [(digest, day.isoformat()) for digest, day in found.items()],
    )


def _remove_unseen(one: DoNotCallImport) -> int:
    """How many numbers that earlier imports brought are gone from the list; people's own entries stay."""
    removed = _delete_where("list_id = %s AND seen_in_id < %s", [one.list_id, one.pk])
    DoNotCallList.objects.filter(pk=one.list_id).update(numbers=F("numbers") - removed)
    return removed


def _delete_where(condition: str, params: list[Any]) -> int:
    """How many entries were deleted, some at a time, so that no statement takes long."""
    removed = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM telephony_donotcallentry WHERE id IN"
                f" (SELECT id FROM telephony_donotcallentry WHERE {condition} LIMIT %s)",
                [*params, _REMOVED_AT_ONCE],
            )
            if not cursor.rowcount:
                return removed
            removed += cursor.rowcount
