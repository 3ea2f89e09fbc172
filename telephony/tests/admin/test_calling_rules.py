"""Calling rules, lists and the question "may I call?" in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.number_digests import number_digest
from callcenter.tests.factories import (
    make_attendant,
    make_call_request,
    make_company,
    make_line,
    make_supervisor,
    make_user,
)
from requests_app.models import CallRequest
from requests_app.states import Hold
from telephony.models import (
    CallAttempt,
    CallAuthorization,
    CallingRule,
    ContactPreference,
    DoNotCallEntry,
    DoNotCallImport,
    OwnHoliday,
    RuleBookStamp,
)
from telephony.services.do_not_call import list_for, stop_calling
from telephony.tests.scenes import claim, make_callcenter, make_due

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

pytestmark = pytest.mark.django_db

PHONE, E164 = "(11) 98765-4321", "+5511987654321"


def url(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:telephony_{model}_{page}", args=args)


def rule_form(rule: CallingRule | None = None, **changes: Any) -> dict[str, Any]:
    """What the rule's page posts."""
    values: dict[str, Any] = {
        "name": "Minha regra", "code": "minha", "level": "company", "severity": "block", "company": "", "state": "",
        "holidays": "usual", "delay_days": 0, "confidence": "high",
    }  # fmt: skip
    if rule is not None:
        values |= {name: getattr(rule, name) for name in ("name", "code", "level", "hours", "state", "source")}
    return {**values, **changes}


def test_a_changed_rule_keeps_its_versions_and_who_made_them(client: Client) -> None:
    person = make_user()
    client.force_login(person)
    rule = CallingRule.objects.get(code="rj-7853")
    before = RuleBookStamp.objects.get().token
    data = rule_form(rule, hours="seg-sex 8-17", activities=["telemarketing"], holidays="closed")
    assert client.post(url("callingrule", "change", rule.pk), data).status_code == 302
    rule.refresh_from_db()
    assert (rule.hours, rule.revision, rule.activities) == ("seg-sex 08:00-17:00", 2, ["telemarketing"])
    assert RuleBookStamp.objects.get().token != before
    page = client.get(url("callingrule", "change", rule.pk)).content.decode()
    assert "horário: seg-sex 08:00-18:00 → seg-sex 08:00-17:00" in page
    assert str(person) in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": "quando der"}, "hours"),
        ({"city": "Rio de Janeiro"}, "state"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid_to"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(client: Client, changes: dict[str, Any], field: str) -> None:
    client.force_login(make_user())
    response = client.post(url("callingrule", "add"), rule_form(**changes))
    assert field in response.context["adminform"].form.errors
    assert not CallingRule.objects.filter(code="minha").exists()


def test_a_rules_figures_are_typed_by_name_and_told_in_words(client: Client) -> None:
    client.force_login(make_user())
    rule = CallingRule.objects.get(code="anatel-short-calls")
    page = url("callingrule", "change", rule.pk)
    form = client.get(page).context["adminform"].form
    assert form["figure_short_share"].value() == 85
    figures = {name: form[name].value() for name in form.fields if name.startswith("figure_")}
    typed = {name: value for name, value in figures.items() if value is not None}
    data = rule_form(rule, severity="warn", **{**typed, "figure_short_share": "70", "figure_hold_at": ""})
    assert client.post(page, data).status_code == 302
    rule.refresh_from_db()
    assert rule.parameters == {
        "calls_per_day": 100_000, "short_share": 0.7, "short_seconds": 6, "block_days": 15, "warn_at": 0.8,
    }  # fmt: skip
    shown = client.get(page).content.decode()
    assert "{&#x27;" not in shown
    assert "Parte de chamadas curtas (%): 85" in shown
    assert "efeito: Impede a ligação → Só avisa" in shown
    assert "100.000 chamadas por dia" in client.get(url("callingrule", "changelist")).content.decode()
    refused = client.post(page, {**data, "figure_short_share": ""})
    assert "figure_short_share" in refused.context["adminform"].form.errors
    client.force_login(make_supervisor())
    assert "Parte de chamadas curtas (%): 70" in client.get(page).content.decode()


def test_an_empty_list_says_what_it_is_for_and_a_search_that_it_found_nothing(client: Client) -> None:
    client.force_login(make_user())
    lists = url("donotcallentry", "changelist")
    assert "Ninguém foi posto à mão em uma lista." in client.get(lists).content.decode()
    assert "Nada encontrado com esta busca" in client.get(lists, {"q": PHONE}).content.decode()


def test_a_bound_administrator_makes_own_rules_and_only_reads_those_for_all(client: Client) -> None:
    company = make_company()
    client.force_login(make_user(company))
    rule = CallingRule.objects.get(code="rj-7853")
    assert client.post(url("callingrule", "change", rule.pk), rule_form(rule)).status_code == 403
    assert client.post(url("callingrule", "delete", rule.pk), {"post": "yes"}).status_code == 403
    assert client.post(url("callingrule", "add"), rule_form()).context["errors"]
    assert client.post(url("callingrule", "add"), rule_form(company=company.pk, daily_cap=1)).status_code == 302
    own = CallingRule.objects.get(code="minha")
    assert client.post(url("callingrule", "delete", own.pk), {"post": "yes"}).status_code == 302
    client.force_login(make_supervisor(company))
    assert client.post(url("callingrule", "add"), rule_form(company=company.pk)).status_code == 403


@pytest.mark.parametrize("model", ["callingrule", "donotcallentry", "donotcalllist", "callauthorization"])
def test_a_list_costs_the_same_queries_whatever_there_is(
    client: Client, model: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client.force_login(make_user())
    for n in range(12):
        company = make_company()
        stop_calling(f"+551198765{n:04d}", company_id=company.pk, reason="opt_out", actor=None, now=timezone.now())
        CallAuthorization.objects.create(
            company=company, number_digest=number_digest(E164), given_on="2026-01-01", evidence="x"
        )
    with django_assert_max_num_queries(12):
        assert client.get(url(model, "changelist")).status_code == 200


def test_a_holiday_of_ones_own_makes_the_rules_be_read_anew(client: Client) -> None:
    client.force_login(make_user())
    before = RuleBookStamp.objects.get().token
    data = {"on": "2026-11-24", "name": "Aniversário da cidade", "state": "SP", "city": "Campinas"}
    assert client.post(url("ownholiday", "add"), data).status_code == 302
    after = RuleBookStamp.objects.get().token
    assert client.post(url("ownholiday", "delete", OwnHoliday.objects.get().pk), {"post": "yes"}).status_code == 302
    assert len({before, after, RuleBookStamp.objects.get().token}) == 3


def test_a_preference_keeps_no_number_and_is_found_by_it(client: Client) -> None:
    company = make_company()
    client.force_login(make_supervisor(company))
    data = {"company": company.pk, "phone": PHONE, "state": "AC", "hours": "todos 9-12", "told_how": "ligação",
            "told_at_0": "2026-11-23", "told_at_1": "12:00"}  # fmt: skip
    assert client.post(url("contactpreference", "add"), data).status_code == 302
    assert client.post(url("contactpreference", "add"), data).context["errors"]
    stored = ContactPreference.objects.get()
    assert (stored.number_digest, stored.hours) == (number_digest(E164), "seg-dom 09:00-12:00")
    assert client.get(url("contactpreference", "changelist"), {"q": PHONE}).context["cl"].result_count == 1
    assert client.get(url("contactpreference", "changelist"), {"q": "11 98765-0000"}).context["cl"].result_count == 0
    page = url("contactpreference", "change", stored.pk)
    assert client.post(page, {**data, "hours": "seg 9-10"}).status_code == 302
    stored.refresh_from_db()
    assert stored.hours == "seg 09:00-10:00"
    assert "98765" not in client.get(page).content.decode()


def test_an_attendant_puts_a_number_on_the_list_and_can_not_take_it_off(client: Client) -> None:
    company = make_company()
    request = make_call_request(company, phone=PHONE)
    client.force_login(make_attendant(company))
    data = {"phone": PHONE, "reason": "opt_out", "company": company.pk}
    assert client.post(url("donotcallentry", "add"), {**data, "company": ""}).context["errors"]
    assert client.post(url("donotcallentry", "add"), data).status_code == 302
    request.refresh_from_db()
    assert request.hold_reason == Hold.DO_NOT_CALL
    entry = DoNotCallEntry.objects.get()
    assert client.get(url("donotcallentry", "changelist"), {"q": PHONE}).context["cl"].result_count == 1
    assert "98765" not in client.get(url("donotcallentry", "change", entry.pk)).content.decode()
    off = url("donotcallentry", "take_off", entry.pk)
    assert client.post(off, {"phone": PHONE, "reason": "mistake"}).status_code == 403
    client.force_login(make_supervisor(company))
    client.post(off, {"phone": "(11) 98765-0000", "reason": "mistake"})
    assert DoNotCallEntry.objects.exists()
    client.post(off, {"phone": "nada", "reason": "mistake"})
    client.post(off, {"phone": PHONE, "reason": "mistake"})
    assert not DoNotCallEntry.objects.exists()
    request.refresh_from_db()
    assert request.hold_reason == Hold.NONE


def test_a_list_for_all_is_not_a_companys_to_change(client: Client) -> None:
    stop_calling(E164, company_id=None, reason="opt_out", actor=None, now=timezone.now())
    entry = DoNotCallEntry.objects.get()
    client.force_login(make_user(make_company()))
    assert client.get(url("donotcallentry", "change", entry.pk)).status_code == 200
    assert (
        client.post(url("donotcallentry", "take_off", entry.pk), {"phone": PHONE, "reason": "mistake"}).status_code
        == 403
    )
    assert client.post(url("donotcalllist", "import", entry.list_id)).status_code == 403


def test_a_file_is_imported_and_gone_on_with(client: Client) -> None:
    client.force_login(make_user())
    target = list_for("procon_sp", company_id=None)
    address = url("donotcalllist", "import", target.pk)
    assert client.get(address).status_code == 200
    file = SimpleUploadedFile("lista.csv", b"telefone\n11987654321\nnada\n")
    response = client.post(address, {"file": file, "listed_on": "2026-10-01"}, follow=True)
    page = response.content.decode()
    assert "linha 3: Não é um número de telefone." in page
    assert "987654321" not in page
    stopped = DoNotCallImport.objects.create(list=target, file_name="resto.csv", listed_on="2026-10-01", lines=1)
    file = SimpleUploadedFile("resto.csv", b"11987654321\n11987650000\n")
    client.post(address, {"file": file, "listed_on": "2026-10-01", "goes_on": stopped.pk})
    stopped.refresh_from_db()
    assert (stopped.state, stopped.lines, stopped.added) == ("done", 2, 1)


def test_may_i_call_tells_every_reason_and_stays_off_the_address(client: Client) -> None:
    mine, other = make_company(name="Minha"), make_company(name="Alheia")
    make_line(mine, name="Linha A", activity="telemarketing")
    make_line(other, name="Linha B")
    stop_calling(E164, company_id=mine.pk, reason="opt_out", actor=None, now=timezone.now())
    stop_calling(E164, company_id=other.pk, reason="complaint", actor=None, now=timezone.now())
    client.force_login(make_supervisor(mine))
    page = client.post(url("donotcallentry", "lookup"), {"phone": PHONE}).content.decode()
    assert "Não pode ligar" in page
    assert "Quem pediu para não ser chamado" in page
    assert "Linha A" in page
    assert "Linha B" not in page
    assert "Reclamação" not in page
    assert (
        "Não está em nenhuma lista"
        in client.post(url("donotcallentry", "lookup"), {"phone": "(11) 98765-0000"}).content.decode()
    )
    person = User.objects.create_user("nova@example.com", "x", is_staff=True)
    client.force_login(person)
    assert client.get(url("donotcallentry", "lookup")).status_code == 403


def test_an_authorisation_is_given_once_and_found_by_number(client: Client) -> None:
    company = make_company()
    client.force_login(make_supervisor(company))
    request = make_call_request(company, phone=PHONE)
    CallRequest.objects.update(due_at=None, hold_reason=Hold.DO_NOT_CALL)
    data = {"phone": PHONE, "company": company.pk, "list_kind": "procon_sp", "given_on": "2026-11-01", "evidence": "x"}
    assert client.post(url("callauthorization", "add"), data).status_code == 302
    request.refresh_from_db()
    assert request.hold_reason == Hold.NONE
    assert client.get(url("callauthorization", "changelist"), {"q": PHONE}).context["cl"].result_count == 1


@pytest.mark.parametrize(("action", "kind"), [("opt_out", "internal"), ("wrong_person", "wrong_person")])
def test_a_call_that_was_made_is_where_a_person_says_never_again(client: Client, action: str, kind: str) -> None:
    line = make_callcenter()
    make_due(line.company, phone=PHONE)
    (attempt,) = claim(line)
    client.force_login(make_attendant(line.company))
    page = client.get(url("callattempt", "change", attempt.pk)).content.decode()
    assert "regras consultadas" in page
    client.post(url("callattempt", "changelist"), {"action": action, "_selected_action": attempt.pk})
    entry = DoNotCallEntry.objects.get()
    assert (entry.list.kind, entry.list.company) == (kind, line.company)
    assert CallAttempt.objects.count() == 1
