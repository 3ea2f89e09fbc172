"""The three roles of the staff and the permissions of each; the code is the truth, people only hold roles."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

ATTENDANT: Final = "Atendente"
SUPERVISOR: Final = "Supervisor"
ADMINISTRATOR: Final = "Administrador"

# The names in the database are the keys; this is how people read them.
ROLE_LABELS: Final = {ATTENDANT: _("Atendente"), SUPERVISOR: _("Supervisor"), ADMINISTRATOR: _("Administrador")}

_ATTENDANT: Final = frozenset(
    {
        "requests_app.view_callrequest",
        "requests_app.change_callrequest",
        "requests_app.add_callrequest",
        "requests_app.view_ledgerentry",
        "requests_app.view_order",
        "requests_app.view_product",
        "telephony.view_callattempt",
    }
)
_SUPERVISOR: Final = _ATTENDANT | {
    "requests_app.delete_callrequest",
    "requests_app.dial_callrequest",
    "requests_app.assign_callrequest",
    "requests_app.add_order",
    "requests_app.change_order",
    "requests_app.delete_order",
    "requests_app.add_product",
    "requests_app.change_product",
    "requests_app.delete_product",
    "requests_app.view_webhookendpoint",
    "requests_app.view_webhookdelivery",
    "telephony.view_dialerline",
    "telephony.change_dialerline",
    "telephony.view_openinghours",
    "telephony.add_openinghours",
    "telephony.change_openinghours",
    "telephony.delete_openinghours",
    "telephony.settle_callattempt",
    "telephony.view_providerevent",
    "telephony.match_providerevent",
    "telephony.view_retryrule",
    "telephony.add_retryrule",
    "telephony.change_retryrule",
    "telephony.delete_retryrule",
    "accounts.view_user",
    "accounts.view_company",
}
_ADMINISTRATOR: Final = _SUPERVISOR | {
    "accounts.change_company",
    "accounts.add_user",
    "accounts.change_user",
    "accounts.view_apikey",
    "accounts.add_apikey",
    "accounts.change_apikey",
    "requests_app.add_webhookendpoint",
    "requests_app.change_webhookendpoint",
    "requests_app.delete_webhookendpoint",
    "requests_app.resend_webhookdelivery",
    "telephony.add_dialerline",
    "telephony.delete_dialerline",
    "telephony.view_directcallaccount",
    "telephony.add_directcallaccount",
    "telephony.change_directcallaccount",
    "telephony.delete_directcallaccount",
    "telephony.view_fieldalias",
    "telephony.add_fieldalias",
    "telephony.change_fieldalias",
    "telephony.delete_fieldalias",
    "telephony.view_statusalias",
    "telephony.add_statusalias",
    "telephony.change_statusalias",
    "telephony.delete_statusalias",
}

# Role -> "app_label.codename" of every permission that it grants.
ROLES: Final[dict[str, frozenset[str]]] = {
    ATTENDANT: _ATTENDANT,
    SUPERVISOR: _SUPERVISOR,
    ADMINISTRATOR: _ADMINISTRATOR,
}
