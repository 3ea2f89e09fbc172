"""What a new request has to know of its company, and how to know it without asking first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from callcenter.accounts.models import Company
from callcenter.lib.database import is_postgresql, known_row, rows_of
from callcenter.lib.errors import InvalidInput

_LARGEST: Final = 2**63 - 1
_MOST_REMEMBERED: Final = 1_000
# Of an active company that is told of nothing, has no slots and stores repetitions: its time zone.
_plain_zones: Final[dict[int, str]] = {}

_ENDPOINTS: Final = "SELECT 1 FROM requests_app_webhookendpoint e WHERE e.company_id = c.id AND e.is_enabled"
_SLOTS: Final = "SELECT 1 FROM requests_app_callbackpolicy p WHERE p.company_id = c.id AND p.uses_slots"
# One row when the company is as it was remembered, else none; its parameters are those of `Home.guess`.
STILL_PLAIN: Final = (
    "SELECT c.id FROM accounts_company c WHERE c.id = CAST(%s AS bigint) AND c.is_active"
    f" AND c.time_zone = CAST(%s AS varchar) AND c.duplicate_window_minutes = 0"
    f" AND NOT EXISTS ({_ENDPOINTS}) AND NOT EXISTS ({_SLOTS})"
)


@dataclass(frozen=True)
class Home:
    """The company, whether any of its webhooks wants to be told of something, and whether it has slots.

    `is_guess`: as it was the last time. Whoever stores a request on that word asks `STILL_PLAIN` in the same statement.
    """

    company: Company
    is_listened_to: bool = False
    uses_slots: bool = False
    is_guess: bool = False

    @property
    def guess(self) -> list[Any]:
        """What is believed, for `STILL_PLAIN`."""
        return [self.company.pk, self.company.time_zone]


def home_of(company_id: int) -> Home:
    """The company's; a guess where it was plain the last time. At most one query.

    Errors: `InvalidInput` when it takes no new requests.
    """
    zone = _plain_zones.get(company_id)
    if zone is not None:
        company = known_row(Company, id=company_id, time_zone=zone, duplicate_window_minutes=0)
        return Home(company, is_guess=True)
    home = _asked_home(company_id)
    # SQLite answers within the process: nothing to be saved.
    if is_postgresql() and not (home.is_listened_to or home.uses_slots or home.company.duplicate_window_minutes):
        if len(_plain_zones) >= _MOST_REMEMBERED:
            _plain_zones.clear()
        _plain_zones[company_id] = home.company.time_zone
    return home


def forget_home(company_id: int) -> None:
    """Nothing; the company is asked for the next time."""
    _plain_zones.pop(company_id, None)


def _asked_home(company_id: int) -> Home:
    # A number that no column holds is no company's.
    found = rows_of(
        "SELECT c.id, c.name, c.time_zone, c.duplicate_window_minutes,"
        f" EXISTS ({_ENDPOINTS}) AS is_listened_to, EXISTS ({_SLOTS}) AS uses_slots"
        " FROM accounts_company c WHERE c.id = %s AND c.is_active",
        [min(company_id, _LARGEST)],
    )
    if not found:
        raise InvalidInput("company_id", _("Não existe uma empresa ativa com este número."))
    is_listened_to, uses_slots = (bool(found[0].pop(name)) for name in ("is_listened_to", "uses_slots"))
    return Home(known_row(Company, **found[0]), is_listened_to, uses_slots)
