"""One call as a method's handler sees it: the caller, the checked parameters, and the instant."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput
from helpdesk.selectors.codes import WireCodes, wire_codes
from helpdesk.services.rows import attendant_of
from helpdesk.tempbox import wire
from helpdesk.tempbox.registry import IN

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.data import Bell, CompanyRef
    from helpdesk.models import Attendant
    from helpdesk.tempbox.auth import Caller
    from helpdesk.tempbox.registry import Method


@dataclass
class Call:
    """A call with a valid token. `values` holds what was supplied, by the contract's names.

    `bells` = what its handler left to be done at once; rung for when everything is committed.
    """

    caller: Caller
    method: Method
    values: dict[str, Any]
    now: datetime
    bells: set[Bell] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """The parameter's value; None when it was not supplied."""
        return self.values.get(name)

    def key(self, name: str) -> uuid.UUID:
        """The id or hash in a required parameter.

        Errors: `InvalidInput` when it is none.
        """
        return wire.guid_in(self.values[name], name)

    def key_or_none(self, name: str) -> uuid.UUID | None:
        """The id or hash in the parameter of a read; None when it is missing or can't be one."""
        value = self.values.get(name)
        if value is None:
            return None
        try:
            return value if isinstance(value, uuid.UUID) else wire.guid_in(value, name)
        except InvalidInput:
            return None

    @cached_property
    def company(self) -> CompanyRef:
        """The company that the call names, or the token's only one.

        Errors: `NotFound`, `InvalidInput`.
        """
        value = self.values.get("Empresa")
        return self.caller.company(None if value is None else wire.guid_in(value, "Empresa"))

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clock of the company that the call names."""
        return ZoneInfo(self.company.time_zone)

    @cached_property
    def codes(self) -> WireCodes:
        """The installation's numbers of our enumerations. One query."""
        return wire_codes()

    @property
    def user(self) -> Attendant:
        """The token's user as an attendant of the company."""
        return self.caller.attendant_in(self.company.id)

    def instant(self, name: str) -> datetime | None:
        """The instant in a parameter, by the company's clock; None when it was not supplied.

        Errors: `InvalidInput`.
        """
        value = self.values.get(name)
        return None if value is None else wire.smalldatetime_in(value, name, zone=self.zone)

    def attendant(self, name: str = "Atendente") -> Attendant | None:
        """The company's active attendant whom the parameter names; None when it was not supplied.

        Errors: `InvalidInput`, `NotFound`.
        """
        value = self.values.get(name)
        if value is None:
            return None
        key = value if isinstance(value, uuid.UUID) else wire.guid_in(value, name)
        return attendant_of(key, company_id=self.company.id)

    def required_attendant(self) -> Attendant:
        """The same where the contract needs one."""
        return attendant_of(self.key("Atendente"), company_id=self.company.id)


def supplied(method: Method, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the method that were supplied, checked and in the contract's names.

    Names are matched in any case, unknown ones ignored; `null` and "" are not supplied.
    Errors: `InvalidInput` naming the field that is missing or of a wrong type.
    """
    folded = {name.lower(): value for name, value in given.items()}
    values = {}
    for parameter in method.parameters:
        value = folded.get(parameter.name.lower())
        if value is None or (isinstance(value, str) and not value.strip()):
            if parameter.is_required:
                raise InvalidInput(parameter.name, _("Falta “%(name)s”.") % {"name": parameter.name})
            continue
        values[parameter.name] = IN[parameter.type](value, parameter.name)
    return values
