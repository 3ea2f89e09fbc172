"""A POST that is repeated under its `Idempotency-Key`: done once, answered alike for a day.

As Stripe does: kept is what was done. A refusal stored nothing, so it leaves its key free and is judged anew.
Source: https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.database import serialize
from callcenter.lib.errors import DomainError
from requests_app.models import IdempotentAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from callcenter.accounts.models import User
    from requests_app.data import KeptAnswer

KEPT_FOR: Final = timedelta(hours=24)


class KeyReused(DomainError):
    """The key was used for another request; the caller should take a new one."""

    code = "idempotency_key_reused"


def answered_once(
    key: str, *, user: User, fingerprint: str, now: datetime, answer: Callable[[], KeptAnswer]
) -> tuple[KeptAnswer, bool]:
    """What `answer` returns, or under a key of the last day what it returned then; and whether it is the old one.

    Of several callers at once one does it, the others wait for it and get the same.

    Errors: `KeyReused` when the key came with another fingerprint; whatever `answer` raises, and nothing is kept then.
    Effects: one row, in one transaction with what `answer` writes.
    """
    with transaction.atomic():
        serialize(f"idempotency:{user.pk}:{key}")
        kept = IdempotentAnswer.objects.filter(user=user, key=key).first()
        if kept is not None and kept.created_at > now - KEPT_FOR:
            return _repeated(kept, user=user, fingerprint=fingerprint), True
        if kept is not None:
            kept.delete()
        given = answer()
        IdempotentAnswer.objects.create(
            user=user,
            key=key,
            fingerprint=fingerprint,
            company_id=given.company_id,
            status=given.status,
            body=given.body.decode(),
            callback_at=given.callback_at,
            created_at=now,
        )
    return given, False


def purge_answers(*, now: datetime) -> int:
    """How many answers were thrown away because their day is over."""
    count, _by_model = IdempotentAnswer.objects.filter(created_at__lte=now - KEPT_FOR).delete()
    return count


def _repeated(kept: IdempotentAnswer, *, user: User, fingerprint: str) -> KeptAnswer:
    # Whoever has lost the company since must not read its request out of the old answer.
    lost = user.company_scope is not None and kept.company_id not in user.company_scope
    if lost or kept.fingerprint != fingerprint:
        raise KeyReused(_("Esta Idempotency-Key já foi usada com outro pedido."))
    return kept.answer
