"""Writes of accounts: keys, log-ins by programs, presence, roles."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from callcenter.accounts.data import IssuedKey
from callcenter.accounts.models import ApiKey, User
from callcenter.accounts.roles import ROLES
from callcenter.accounts.selectors import KEY_PREFIX_LENGTH
from callcenter.lib.database import for_update
from callcenter.lib.secrets import digest, random_token

if TYPE_CHECKING:
    from datetime import datetime

# Writing "last used" on every request would make every read a write.
LAST_USED_RESOLUTION: Final = timedelta(minutes=1)
# A program that logs in every minute must not fill the table; the latest are enough to look up who used what.
_LOGIN_KEYS_REMEMBERED: Final = 100


def issue_api_key(user: User, *, name: str, expires_at: datetime | None = None) -> IssuedKey:
    """A new key of 40 letters and digits (238 bits) for the user; its text is returned here and nowhere else."""
    while True:
        secret = random_token(40)
        try:
            with transaction.atomic():
                key = ApiKey.objects.create(
                    user=user,
                    name=name,
                    prefix=secret[:KEY_PREFIX_LENGTH],
                    digest=digest(secret),
                    expires_at=expires_at,
                )
        except IntegrityError:
            continue
        return IssuedKey(key=key, secret=secret)


def verify_password(email: str, password: str) -> User | None:
    """The active user with this e-mail address and password; None when anything about them is wrong.

    Every refusal costs one password hash, so its time tells nothing.
    """
    user = authenticate(username=email, password=password)
    return user if isinstance(user, User) else None


def issue_login_key(user: User, *, name: str, now: datetime) -> IssuedKey:
    """A new key that expires after `LOGIN_KEY_DAYS`.

    Effects: of the user's expiring keys only the newest `LOGIN_KEYS_PER_USER` stay valid; the very old are deleted.
    """
    with transaction.atomic():
        # Of two log-ins at once the second must see the first one's key.
        for_update(User.objects.filter(pk=user.pk)).first()
        issued = issue_api_key(user, name=name, expires_at=now + timedelta(days=settings.LOGIN_KEY_DAYS))
        keys = ApiKey.objects.filter(user=user, expires_at__isnull=False).order_by("-created_at", "-pk")
        living = keys.filter(revoked_at=None, expires_at__gt=now).values_list("pk", flat=True)
        ApiKey.objects.filter(pk__in=list(living[settings.LOGIN_KEYS_PER_USER :])).update(revoked_at=now)
        forgotten = keys.values_list("pk", flat=True)[_LOGIN_KEYS_REMEMBERED:]
        ApiKey.objects.filter(pk__in=list(forgotten)).delete()
    return issued


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
