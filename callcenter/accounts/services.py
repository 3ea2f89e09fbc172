"""Writes of accounts: keys, presence, roles."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from callcenter.accounts.data import IssuedKey
from callcenter.accounts.models import ApiKey, User
from callcenter.accounts.roles import ROLES
from callcenter.accounts.selectors import KEY_PREFIX_LENGTH
from callcenter.lib.secrets import digest, random_token

if TYPE_CHECKING:
    from datetime import datetime

# Writing "last used" on every request would make every read a write.
LAST_USED_RESOLUTION: Final = timedelta(minutes=1)


def issue_api_key(user: User, *, name: str) -> IssuedKey:
    """A new key of 40 letters and digits (238 bits) for the user; its text is returned here and nowhere else."""
    while True:
        secret = random_token(40)
        try:
            with transaction.atomic():
                key = ApiKey.objects.create(
                    user=user, name=name, prefix=secret[:KEY_PREFIX_LENGTH], digest=digest(secret)
                )
        except IntegrityError:
            continue
        return IssuedKey(key=key, secret=secret)


def revoke_api_key(key: ApiKey) -> bool:
    """Whether this call revoked the key; the next request with it is refused."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()))


def note_key_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that the key was used, to the minute.

    Effects: at most one UPDATE a minute and key.
    """
    if key.last_used_at is not None and now - key.last_used_at < LAST_USED_RESOLUTION:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_RESOLUTION)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def change_presence(user: User, *, presence: str) -> None:
    """Set whether dialed calls may be handed to the user."""
    now = timezone.now()
    User.objects.filter(pk=user.pk).exclude(presence=presence).update(presence=presence, presence_changed_at=now)


def grant_roles(*, app_label: str, using: str = "default") -> None:
    """Give each role exactly its permissions of one app; makes the groups that are missing. Safe to repeat."""
    existing = Permission.objects.using(using).filter(content_type__app_label=app_label)
    by_name = {f"{app_label}.{permission.codename}": permission for permission in existing}
    for role, names in ROLES.items():
        group, _created = Group.objects.using(using).get_or_create(name=role)
        wanted = {permission for name, permission in by_name.items() if name in names}
        held = set(group.permissions.filter(content_type__app_label=app_label))
        group.permissions.remove(*(held - wanted))
        group.permissions.add(*(wanted - held))
