"""What most rows of the helpdesk have in common: an id, a public hash, and when they came and changed."""

from __future__ import annotations

import secrets
import time
import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def new_id() -> uuid.UUID:
    """A UUID of version 7: unique, and rising with time, so that new rows lie together in an index.

    Source: RFC 9562, section 5.7.
    """
    milliseconds = time.time_ns() // 1_000_000
    bits = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62
    return uuid.UUID(int=bits | secrets.randbits(62))


class Record(models.Model):
    """A row with an internal id and a public hash.

    `hash` is random: links, push topics and visitors' pages know a row by it, and it tells nothing of order.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hash = models.UUIDField(_("hash"), default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(_("criado em"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("alterado em"), default=timezone.now, editable=False)

    class Meta:
        abstract = True
