"""People's devices in the DAC queues: logged in and out with their presence, or by hand."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext as _

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict
from callcenter.lib.secrets import SecretUnreadable
from telephony.models import DacDevice
from telephony.providers.base import ProviderError
from telephony.providers.digitro.wire import DeviceAccess
from telephony.selectors import channel_in_use
from telephony.services.commands import client_of

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)

# So many a round of the job.
BATCH: Final = 50
# A worker that dies in the middle leaves the device alone for so long.
CLAIM: Final = timedelta(seconds=60)
FIRST_WAIT: Final = timedelta(seconds=15)
MOST_WAIT: Final = timedelta(minutes=15)


def log_device(device_id: int, *, log_in: bool, now: datetime) -> None:
    """Nothing; the PABX logged the device in or out. Safe to repeat: who is in is in.

    Errors: `Conflict` when it can't be asked now; `ProviderError`, noted with the device: after an ambiguous one it is
    not known whether it is in.
    """
    device = DacDevice.objects.select_related("line__event_channel").get(pk=device_id)
    if not settings.DIGITRO_DAC_LOGIN_SLUG:
        raise Conflict(_("O comando de login no DAC não está configurado (DIGITRO_DAC_LOGIN_SLUG)."))
    if channel_in_use(device.line, now=now) is None:
        raise Conflict(_("A linha não tem canal de eventos; o PABX não aceita comandos."))
    access = DeviceAccess(
        device=device.device,
        device_password=device.device_password,
        account=device.account,
        account_password=device.account_password,
    )
    try:
        client_of(device.line).log_dac_device(access, log_in=log_in, slug=settings.DIGITRO_DAC_LOGIN_SLUG)
    except ProviderError as error:
        _note_failure(device, error, now=now)
        raise
    _note(device, is_logged_in=log_in, changed_at=now, error_code="", failures=0, retry_at=None)


def forget_secrets(line_id: int) -> int:
    """How many devices of the line lost their passwords, for when its address becomes another server's."""
    devices = DacDevice.objects.filter(line_id=line_id).exclude(device_password="", account_password="")
    return devices.update(device_password="", account_password="", is_logged_in=None)


def follow_presence(*, now: datetime) -> int:
    """How many devices were logged in or out because their people came or went.

    Safe for several workers at once: each device is claimed before the PABX is asked.
    """
    if not settings.DIGITRO_DAC_LOGIN_SLUG:
        return 0
    return sum(_follow(device_id, log_in=wanted, now=now) for device_id, wanted in _restless(now=now))


def _restless(*, now: datetime) -> list[tuple[int, bool]]:
    """Devices that are not where their people are, with where they should be; one never logged in need not go out."""
    is_here = Q(user__is_active=True, user__presence=User.Presence.AVAILABLE, line__is_enabled=True)
    devices = (
        DacDevice.objects.filter(Q(retry_at=None) | Q(retry_at__lte=now), follows_presence=True)
        .annotate(wanted=Case(When(is_here, then=Value(True)), default=Value(False)))
        .filter(
            Q(wanted=True, is_logged_in=None)
            | Q(wanted=True, is_logged_in=False)
            | Q(wanted=False, is_logged_in=True)
            | Q(wanted=False, is_logged_in=None, changed_at__isnull=False)
        )
    )
    return list(devices.order_by("retry_at", "pk").values_list("pk", "wanted")[:BATCH])


def _follow(device_id: int, *, log_in: bool, now: datetime) -> bool:
    free = Q(retry_at=None) | Q(retry_at__lte=now)
    # Another worker may have done it since the list was read.
    still_due = DacDevice.objects.filter(free, pk=device_id).exclude(is_logged_in=log_in)
    if not still_due.update(retry_at=now + CLAIM):
        return False
    try:
        log_device(device_id, log_in=log_in, now=now)
    except (Conflict, ProviderError, SecretUnreadable) as error:
        log.warning("DAC device %s: %s", device_id, error.code)
        return False
    except DacDevice.DoesNotExist:
        return False
    return True


def _note_failure(device: DacDevice, error: ProviderError, *, now: datetime) -> None:
    wait = min(MOST_WAIT, FIRST_WAIT * 2 ** min(device.failures, 10))
    unknown: dict[str, object] = {"is_logged_in": None, "changed_at": now} if error.may_have_happened else {}
    _note(device, error_code=error.code, failures=device.failures + 1, retry_at=now + wait, **unknown)


def _note(device: DacDevice, **columns: object) -> None:
    DacDevice.objects.filter(pk=device.pk).update(**columns)
