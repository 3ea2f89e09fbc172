"""People and companies: logins, what each may see, who takes calls, who may be made responsible."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from callcenter.accounts import selectors
from callcenter.accounts.models import Company, User
from callcenter.accounts.services import change_presence
from callcenter.tests.factories import PASSWORD, make_attendant, make_company, make_supervisor, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["Ana@Example.COM", "  ana@example.com ", "ANA@EXAMPLE.COM"])
def test_an_address_is_kept_in_lower_case_however_it_was_typed(typed: str) -> None:
    assert User.objects.create_user(typed).email == "ana@example.com"


def test_the_form_folds_the_address_too() -> None:
    user = User(email="Ana@Example.COM", password="x")
    user.full_clean()
    assert user.email == "ana@example.com"


def test_the_database_refuses_an_address_that_is_not_folded() -> None:
    user = make_user()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(email="Ana@example.com")


def test_one_address_is_one_person() -> None:
    make_user(email="ana@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ANA@example.com")


def test_a_login_works_in_whatever_case() -> None:
    user = make_user(email="ana@example.com")
    assert authenticate(username="ANA@example.com", password=PASSWORD) == user
    assert authenticate(username="ana@example.com", password=PASSWORD.upper()) is None


def test_a_user_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("")


def test_a_user_without_a_password_cannot_log_in() -> None:
    user = User.objects.create_user("api@example.com")
    assert not user.has_usable_password()
    assert authenticate(username="api@example.com", password="") is None


def test_a_superuser_enters_the_admin() -> None:
    user = User.objects.create_superuser("raiz@example.com", PASSWORD)
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError) as refusal:
        Company(name="Loja", time_zone="America/Atlantis").full_clean()
    assert set(refusal.value.message_dict) == {"time_zone"}


# --- What a person may see ----------------------------------------------------------------------------------------


def test_a_person_of_no_company_sees_all() -> None:
    make_company()
    assert make_user().company_scope is None


def test_a_person_of_some_companies_sees_those() -> None:
    first, second, _third = make_company(), make_company(), make_company()
    assert make_user(first, second).company_scope == frozenset({first.pk, second.pk})


def test_a_superuser_sees_all_whatever_their_companies() -> None:
    assert make_user(make_company(), is_superuser=True).company_scope is None


def test_the_scope_is_asked_once(django_assert_num_queries: Any) -> None:
    user = make_user(make_company())
    with django_assert_num_queries(1):
        assert user.company_scope == user.company_scope


def test_the_companies_of_a_person_are_the_active_ones_by_name() -> None:
    second, first = make_company("Zebra"), make_company("Aurora")
    closed = make_company("Fechada", is_active=False)
    make_company("Outra")
    assert selectors.companies_of(make_user(second, first, closed)) == [first, second]
    assert [company.name for company in selectors.companies_of(make_user())] == ["Aurora", "Outra", "Zebra"]


# --- Who takes calls ----------------------------------------------------------------------------------------------


def test_available_are_the_present_and_active_of_the_company_or_of_all() -> None:
    company, other = make_company(), make_company()
    theirs, everybodys = make_attendant(company), make_attendant()
    make_attendant(other)
    make_attendant(company, presence=User.Presence.PAUSED)
    make_attendant(company, presence=User.Presence.OFFLINE)
    make_attendant(company, is_active=False)
    assert selectors.available_attendant_ids(company.pk) == {theirs.pk, everybodys.pk}


def test_an_attendant_of_two_companies_serves_both() -> None:
    first, second, third = make_company(), make_company(), make_company()
    both = make_attendant(first, second)
    assert selectors.companies_served_by([both.pk]) == {first.pk, second.pk}
    assert selectors.companies_served_by([]) == set()
    assert selectors.companies_served_by([both.pk, make_attendant().pk]) == {first.pk, second.pk, third.pk}


def test_presence_is_stamped_when_it_changes_and_only_then() -> None:
    user = make_user()
    change_presence(user, presence=User.Presence.AVAILABLE)
    user.refresh_from_db()
    since = user.presence_changed_at
    assert user.presence == User.Presence.AVAILABLE
    assert since is not None
    change_presence(user, presence=User.Presence.AVAILABLE)
    user.refresh_from_db()
    assert user.presence_changed_at == since
    change_presence(user, presence=User.Presence.PAUSED)
    user.refresh_from_db()
    assert user.presence_changed_at is not None
    assert user.presence_changed_at > since


# --- Who may be made responsible ----------------------------------------------------------------------------------


def test_assignable_is_active_staff_of_the_company_or_of_all() -> None:
    company, other = make_company(), make_company()
    yes = [make_attendant(company), make_supervisor(), make_attendant(company, other)]
    no = [make_attendant(other), make_attendant(company, is_active=False), make_user(company, is_staff=False)]
    assert all(selectors.is_assignable(user.pk, company_id=company.pk) for user in yes)
    assert not any(selectors.is_assignable(user.pk, company_id=company.pk) for user in no)
    assert not selectors.is_assignable(10**9, company_id=company.pk)
    assert {user.pk for user in selectors.assignable_users([company.pk])} == {user.pk for user in yes}


def test_assignable_to_requests_of_two_companies_works_for_both() -> None:
    first, second = make_company(), make_company()
    both, everybodys = make_attendant(first, second), make_attendant()
    make_attendant(first)
    assert set(selectors.assignable_users([first.pk, second.pk])) == {both, everybodys}
    assert len(selectors.assignable_users(None)) == 3
