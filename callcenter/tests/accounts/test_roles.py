"""The three roles hold exactly the permissions that the code gives them, after every migrate."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from callcenter.accounts.roles import ADMINISTRATOR, ATTENDANT, ROLES, SUPERVISOR
from callcenter.accounts.services import grant_roles
from callcenter.tests.factories import make_user

pytestmark = pytest.mark.django_db


def permissions_of(role: str) -> set[str]:
    """The permissions of a role as `app_label.codename`."""
    rows = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app_label}.{codename}" for app_label, codename in rows}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_exactly_its_permissions(role: str) -> None:
    # A misspelled name in `roles.py` exists nowhere and would be missing here.
    assert permissions_of(role) == ROLES[role]


def test_there_are_no_other_groups() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == {ATTENDANT, SUPERVISOR, ADMINISTRATOR}


def test_each_role_may_do_what_the_one_below_may() -> None:
    assert ROLES[ATTENDANT] < ROLES[SUPERVISOR] < ROLES[ADMINISTRATOR]


def test_nobody_may_write_what_is_written_once() -> None:
    for names in ROLES.values():
        for model in ("ledgerentry", "callattempt", "providerevent"):
            assert not {name for name in names if name.split("_", 1)[0].endswith(("add", "change", "delete"))
                        and name.endswith(model)}  # fmt: skip


def test_a_migrate_puts_back_what_somebody_changed() -> None:
    attendant = Group.objects.get(name=ATTENDANT)
    attendant.permissions.remove(Permission.objects.get(codename="view_callrequest"))
    attendant.permissions.add(Permission.objects.get(codename="delete_dialerline"))
    Group.objects.get(name=SUPERVISOR).delete()
    call_command("migrate", verbosity=0)
    assert permissions_of(ATTENDANT) == ROLES[ATTENDANT]
    assert permissions_of(SUPERVISOR) == ROLES[SUPERVISOR]


def test_granting_one_apps_permissions_leaves_the_other_apps_alone() -> None:
    attendant = Group.objects.get(name=ATTENDANT)
    attendant.permissions.clear()
    grant_roles(app_label="telephony")
    assert permissions_of(ATTENDANT) == {name for name in ROLES[ATTENDANT] if name.startswith("telephony.")}


def test_a_person_in_a_role_may_what_the_role_may() -> None:
    attendant = make_user(role=ATTENDANT)
    assert attendant.has_perm("requests_app.change_callrequest")
    assert not attendant.has_perm("requests_app.delete_callrequest")
    assert not attendant.has_perm("telephony.view_directcallaccount")


@pytest.mark.django_db(transaction=True)
def test_a_flush_leaves_the_roles_in_place() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert {role: permissions_of(role) for role in ROLES} == ROLES
