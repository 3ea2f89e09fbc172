"""People and keys in the admin: who may make whom, and what is shown of a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import reverse

from callcenter.accounts.models import ApiKey, User
from callcenter.accounts.roles import ADMINISTRATOR, ATTENDANT
from callcenter.accounts.selectors import key_owner
from callcenter.accounts.services import change_presence
from callcenter.tests.factories import make_api_key, make_company, make_supervisor, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

ADD = reverse("admin:accounts_user_add")
LIST = reverse("admin:accounts_user_changelist")
KEYS = reverse("admin:accounts_apikey_changelist")
ADD_KEY = reverse("admin:accounts_apikey_add")
PASSWORD = "uma senha bem comprida 42"


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def new_person(*companies: Company, **more: Any) -> dict[str, Any]:
    return {
        "email": "Nova@Example.com", "first_name": "Nova", "password1": PASSWORD, "password2": PASSWORD,
        "groups": [Group.objects.get(name=ATTENDANT).pk], "companies": [company.pk for company in companies],
        "is_staff": "on", "is_active": "on", **more,
    }  # fmt: skip


def test_a_bound_administrator_makes_people_of_their_own_companies_only(client: Client) -> None:
    own, foreign = make_company(), make_company()
    client.force_login(make_user(own))
    assert client.post(ADD, new_person()).context["errors"]
    assert client.post(ADD, new_person(own, foreign)).context["errors"]
    assert not User.objects.filter(email="nova@example.com").exists()
    assert client.post(ADD, new_person(own, is_superuser="on")).status_code == 302
    person = User.objects.get(email="nova@example.com")
    assert (list(person.companies.all()), person.is_superuser, person.check_password(PASSWORD)) == ([own], False, True)
    assert [group.name for group in person.groups.all()] == [ATTENDANT]


def test_a_bound_administrator_can_not_unbind_anybody_themselves_included(client: Client) -> None:
    own = make_company()
    administrator = make_user(own)
    client.force_login(administrator)
    data = {"email": administrator.email, "is_staff": "on", "is_active": "on", "groups": [], "companies": []}
    assert client.post(page_of(administrator), data).context["errors"]
    assert list(administrator.companies.all()) == [own]


def test_who_works_for_a_foreign_company_too_is_seen_but_not_changed(client: Client) -> None:
    own, foreign = make_company("Nossa"), make_company("Alheia")
    both, root = make_user(own, foreign, email="both@example.com"), make_user(own, is_superuser=True)
    client.force_login(make_user(own))
    page = client.get(page_of(both)).content.decode()
    assert "both@example.com" in page
    assert "Alheia" not in page
    for person in (both, root):
        assert client.post(page_of(person), {"email": "stolen@example.com"}).status_code == 403
        password = reverse("admin:auth_user_password_change", args=[person.pk])
        assert client.post(password, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 403


def test_only_superusers_grant_superuser_and_change_superusers(client: Client) -> None:
    root, administrator, plain = make_user(is_superuser=True), make_user(), make_user()
    client.force_login(administrator)
    assert "is_superuser" not in client.get(page_of(plain)).content.decode()
    client.post(page_of(plain), {"email": plain.email, "is_superuser": "on", "is_active": "on", "is_staff": "on"})
    assert client.post(page_of(root), {"email": "stolen@example.com"}).status_code == 403
    plain.refresh_from_db()
    assert not plain.is_superuser
    client.force_login(root)
    client.post(page_of(plain), {"email": plain.email, "is_superuser": "on", "is_active": "on", "is_staff": "on"})
    plain.refresh_from_db()
    assert plain.is_superuser


def test_a_supervisor_reads_people_and_changes_nobody(client: Client) -> None:
    person = make_user(first_name="Caio")
    client.force_login(make_supervisor())
    assert "Caio" in client.get(LIST).content.decode()
    assert client.post(page_of(person), {"email": "x@example.com"}).status_code == 403
    assert client.get(ADD).status_code == 403
    assert client.get(KEYS).status_code == 403


def test_the_list_of_people_costs_the_same_queries_however_many_they_are(
    client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    company = make_company()
    client.force_login(make_user(company))
    for _more in range(2):
        with django_assert_num_queries(11):
            client.get(LIST)
        for _n in range(20):
            make_user(company)


def test_nobody_is_deleted_and_a_companys_rows_neither(client: Client) -> None:
    company = make_company()
    person = make_user(company)
    client.force_login(make_user(is_superuser=True))
    assert client.post(reverse("admin:accounts_user_delete", args=[person.pk]), {"post": "yes"}).status_code == 403
    assert client.post(reverse("admin:accounts_company_delete", args=[company.pk]), {"post": "yes"}).status_code == 403


def test_a_new_key_is_shown_once_and_works(client: Client) -> None:
    owner = make_user(email="api@example.com")
    client.force_login(make_user())
    response = client.post(ADD_KEY, {"user": owner.pk, "name": "Integração"})
    assert "no-store" in response.headers["Cache-Control"]
    secret = response.context["secret"]
    assert secret in response.content.decode()
    key = ApiKey.objects.get()
    assert key_owner("api@example.com", secret) == key
    later = [client.get(KEYS), client.get(reverse("admin:accounts_apikey_change", args=[key.pk]))]
    assert all(secret not in page.content.decode() and key.digest not in page.content.decode() for page in later)
    assert all(secret not in str(entry.__dict__) for entry in LogEntry.objects.all())


def test_a_key_is_revoked_once_and_the_second_time_says_so(client: Client) -> None:
    owner = make_user(email="api@example.com")
    secret = make_api_key(owner)
    client.force_login(make_user())
    data = {"action": "revoke_selected", "_selected_action": ApiKey.objects.get().pk}
    assert "Feito para 1 linha." in client.post(KEYS, data, follow=True).content.decode()
    assert key_owner("api@example.com", secret) is None
    assert "a chave já estava revogada" in client.post(KEYS, data, follow=True).content.decode()


def test_a_key_acts_as_its_owner_so_it_is_made_only_for_whom_one_may_manage(client: Client) -> None:
    own = make_company()
    root, everywhere, colleague = make_user(is_superuser=True), make_user(), make_user(own)
    client.force_login(make_user(own, role=ADMINISTRATOR))
    for person in (root, everywhere):
        assert client.post(ADD_KEY, {"user": person.pk, "name": "x"}).context["errors"]
    assert client.post(ADD_KEY, {"user": colleague.pk, "name": "x"}).status_code == 200
    assert [key.user for key in ApiKey.objects.all()] == [colleague]
    client.force_login(everywhere)
    assert client.post(ADD_KEY, {"user": root.pk, "name": "x"}).context["errors"]


def test_the_list_of_people_says_who_takes_calls_and_since_when(client: Client) -> None:
    person = make_user()
    change_presence(person, presence=User.Presence.AVAILABLE)
    client.force_login(make_user())
    page = client.get(LIST).content.decode()
    assert '<span class="badge badge--good">Disponível</span> <span class="quiet">agora</span>' in page
