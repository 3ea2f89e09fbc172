"""Do-not-call lists kept by hand: put a person on one at once, take them off, say why a number is listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from callcenter.lib.area_codes import AREA_CODES
from callcenter.lib.database import as_instant, for_update, is_postgresql, rows_of
from callcenter.lib.errors import Conflict, NotFound
from callcenter.lib.number_digests import number_digest
from requests_app.data import Origin
from requests_app.services import holds
from requests_app.states import Hold, Source
from telephony.models import (
    CallAuthorization,
    DoNotCallChange,
    DoNotCallEntry,
    DoNotCallList,
)
from telephony.rule_terms import INTERNAL_LISTS, ListKind
from telephony.services.rule_snapshot import mark_changed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from callcenter.accounts.models import User

_R = DoNotCallEntry.Reason
# On which of our lists a reason puts a number.
_KIND_OF_REASON = {_R.WRONG_PERSON: ListKind.WRONG_PERSON}


@dataclass(frozen=True)
class Listed:
    """One list that a number is on: since when by the list's word, and since when we know."""

    entry_id: int
    list_name: str
    kind: str
    listed_on: date
    added_at: datetime
    reason: str


def list_for(kind: str, *, company_id: int | None) -> DoNotCallList:
    """The list of that kind for one company or for all (None), made when there is none. Safe to repeat."""
    of_whom: dict[str, Any] = {"company_id": company_id}
    found, is_new = DoNotCallList.objects.get_or_create(kind=kind, **of_whom)
    if is_new:
        mark_changed()
    return found


def stop_calling(
    phone_e164: str,
    *,
    company_id: int | None,
    reason: str,
    actor: User | None,
    now: datetime,
    list_id: int | None = None,
) -> bool:
    """Whether the number is new on the list; from the commit on nobody there calls it.

    `company_id` None = for all companies. `list_id` None = our own list that the reason means.

    Effects: one transaction; an entry, its change, and every waiting request of the number is held. A call that was
    claimed is stopped before it is sent.
    """
    with transaction.atomic():
        if list_id is None:
            target = list_for(_KIND_OF_REASON.get(_R(reason), ListKind.INTERNAL), company_id=company_id)
        else:
            target = DoNotCallList.objects.get(pk=list_id)
        digest = number_digest(phone_e164)
        entry, is_new = DoNotCallEntry.objects.get_or_create(
            list=target,
            number_digest=digest,
            defaults={"listed_on": _day_everywhere(now), "added_at": now, "reason": reason, "actor": actor},
        )
        if is_new:
            DoNotCallChange.objects.create(
                list=target, number_digest=digest, kind=DoNotCallChange.Kind.ADDED, reason=reason, at=now, actor=actor
            )
            DoNotCallList.objects.filter(pk=target.pk).update(numbers=F("numbers") + 1, updated_at=now)
        else:
            _say_again(entry, now=now)
        if target.kind in INTERNAL_LISTS:
            holds.hold_number(
                phone_e164,
                company_ids=_scope_of(target),
                hold=Hold.DO_NOT_CALL,
                origin=Origin(source=Source.ADMIN, actor=actor),
                now=now,
            )
    return is_new


def _say_again(entry: DoNotCallEntry, *, now: datetime) -> None:
    """Let the listing stand against whatever was asked for since the first time, and from today on at the latest."""
    DoNotCallEntry.objects.filter(pk=entry.pk).update(
        added_at=max(now, entry.added_at), listed_on=min(entry.listed_on, _day_everywhere(now))
    )


def take_off(
    entry_id: int, *, phone_e164: str, reason: str, actor: User, scope: Iterable[int] | None, now: datetime
) -> None:
    """Nothing; the number is on that list no more, and its held requests are looked at again.

    The number is asked for, because only its digest is stored: it proves that the person means this one.

    Errors: `NotFound`; `Conflict` when the entry is another number's.
    """
    with transaction.atomic():
        entries = DoNotCallEntry.objects.filter(pk=entry_id)
        if scope is not None:
            entries = entries.filter(list__company_id__in=list(scope))
        entry = for_update(entries).select_related("list").first()
        if entry is None:
            raise NotFound(_("Este registro não existe mais."))
        if entry.number_digest != number_digest(phone_e164):
            raise Conflict(_("Este registro é de outro número."))
        DoNotCallChange.objects.create(
            list=entry.list,
            number_digest=entry.number_digest,
            kind=DoNotCallChange.Kind.REMOVED,
            reason=reason,
            at=now,
            actor=actor,
        )
        DoNotCallList.objects.filter(pk=entry.list_id).update(numbers=F("numbers") - 1, updated_at=now)
        entry.delete()
        holds.release_number(phone_e164, company_ids=_scope_of(entry.list), hold=Hold.DO_NOT_CALL, now=now)


def authorise(
    phone_e164: str,
    *,
    company_id: int,
    list_kind: str,
    given_on: date,
    valid_to: date | None,
    evidence: str,
    now: datetime,
) -> CallAuthorization:
    """The person's leave to be called by this company although a public list has them; replaces an earlier one.

    Effects: one row; requests of the number that a list held are looked at again.
    """
    with transaction.atomic():
        given, _made = CallAuthorization.objects.update_or_create(
            number_digest=number_digest(phone_e164),
            company_id=company_id,
            list_kind=list_kind,
            defaults={"given_on": given_on, "valid_to": valid_to, "evidence": evidence},
        )
        holds.release_number(phone_e164, company_ids=[company_id], hold=Hold.DO_NOT_CALL, now=now)
    return given


def lists_of(phone_e164: str, *, scope: Iterable[int] | None) -> list[Listed]:
    """Every list of the companies in the scope, and of all, that the number is on. One query."""
    digest = number_digest(phone_e164)
    rows = rows_of(
        "SELECT e.id, e.listed_on, e.added_at, e.reason, l.kind, l.company_id, c.name FROM telephony_donotcallentry e"
        " JOIN telephony_donotcalllist l ON l.id = e.list_id LEFT JOIN accounts_company c ON c.id = l.company_id"
        " WHERE e.number_digest = %s AND l.is_active ORDER BY e.id",
        [digest if is_postgresql() else digest.hex],
    )
    concerned = None if scope is None else {None, *scope}
    return [_as_listed(row) for row in rows if concerned is None or row["company_id"] in concerned]


def _as_listed(row: dict[str, Any]) -> Listed:
    kind, listed_on = ListKind(row["kind"]), row["listed_on"]
    return Listed(
        entry_id=row["id"],
        list_name=f"{kind.label} · {row['name']}" if row["name"] else str(kind.label),
        kind=kind,
        # SQLite has no such type.
        listed_on=date.fromisoformat(listed_on) if isinstance(listed_on, str) else listed_on,
        added_at=cast("datetime", as_instant(row["added_at"])),
        reason=str(DoNotCallEntry.Reason(row["reason"]).label) if row["reason"] else "",
    )


def _day_everywhere(now: datetime) -> date:
    """The latest day that has begun in the whole country: who is listed on it is listed at once, wherever they live."""
    return min(now.astimezone(ZoneInfo(zone)).date() for zone in {area.zone for area in AREA_CODES.values()})


def _scope_of(one: DoNotCallList) -> list[int] | None:
    return None if one.company_id is None else [one.company_id]
