"""Who may call, what an answer looks like, and what is looked at first."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from callcenter.lib import limits
from callcenter.lib.counters import FileCounters
from callcenter.tests.factories import make_company, make_user
from helpdesk.models import ApiToken, Atendimento, HelpdeskSettings
from helpdesk.services.tokens import issue_token, revoke_token
from helpdesk.tests.factories import make_attendant, make_channel
from helpdesk.tests.scenes import asked
from helpdesk.tests.tempbox.api import Program, contract, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.django_db

UNAUTHORIZED = {"Status": "error", "Code": 401, "Success": False, "Data": None, "Message": "Invalid token"}
_FORM = "application/x-www-form-urlencoded"


@pytest.mark.conforms("TB-unauthorized", "TB-status")
@pytest.mark.parametrize("name", contract())
def test_without_a_token_every_method_is_the_documented_unauthorized(program: Program, name: str) -> None:
    for token in (None, "", "x" * 40, "\0", "é"):
        response = program.post(name, token=token)
        assert (response.status_code, response.json()) == (401, UNAUTHORIZED)
        assert list(response.json()) == list(UNAUTHORIZED)


@pytest.mark.conforms("TB-unauthorized")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda program: revoke_token(ApiToken.objects.get(), now=timezone.now()),
        lambda program: ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda program: program.user.__class__.objects.update(is_active=False),
        lambda program: program.company.__class__.objects.update(is_active=False),
        lambda program: program.user.companies.set([make_company()]),
    ],
    ids=["revoked", "expired", "user inactive", "company inactive", "user moved"],
)
def test_a_token_that_is_over_is_none(program: Program, spoil: Callable[[Program], Any]) -> None:
    program.call("ObterDashboard")
    spoil(program)
    assert program.post("ObterDashboard").json() == UNAUTHORIZED


@pytest.mark.conforms("TB-order")
def test_the_token_comes_before_the_json_and_the_json_before_the_fields(program: Program) -> None:
    assert program.post("PegarAtendimento", "{", token="x").status_code == 401
    assert "json" in program.refused("PegarAtendimento", "{").lower()
    assert "Atendente" in program.refused("PegarAtendimento", {"Empresa": "x"})
    foreign = uid_of(make_company())
    message = program.refused("EncerrarAtendimento", {"Atendimento": "x" * 36, "Empresa": foreign})
    assert message


@pytest.mark.conforms("TB-error", "TB-message")
def test_an_error_is_the_documented_one_with_a_message(program: Program) -> None:
    response = program.post("EncerrarAtendimento", {"Atendimento": "não é"})
    assert response.status_code == 500
    assert list(response.json()) == ["Status", "Code", "Success", "Data", "Message"]
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"


@pytest.mark.conforms("TB-error")
def test_an_unforeseen_failure_is_an_error_without_detail_and_leaves_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    atendimento = asked(program.company)

    def fail(*_args: Any, **_fields: Any) -> None:
        raise RuntimeError("segredo")

    monkeypatch.setattr("helpdesk.services.closing.settle_work", fail)
    with caplog.at_level(logging.ERROR, logger="helpdesk.tempbox.dispatch"):
        response = program.post("EncerrarAtendimento", {"Atendimento": str(atendimento.pk)})
    assert (response.status_code, "Message" in response.json()) == (500, False)
    assert Atendimento.objects.get().is_open
    assert "EncerrarAtendimento" in caplog.text
    assert program.token not in caplog.text


@pytest.mark.conforms("TB-form", "TB-bearer")
@pytest.mark.parametrize("way", ["query", "form", "bearer", "token in the form, json in the query"])
def test_token_and_json_are_read_from_wherever_they_come(program: Program, way: str) -> None:
    fields = {"token": program.token, "json": json.dumps({"Atendimento": str(asked(program.company).pk)})}
    url, send = "/api/Atendimento/EncerrarAtendimento", program.client.post
    if way == "query":
        response = send(url, query_params=fields)
    elif way == "form":
        response = send(url, "&".join(f"{name}={value}" for name, value in fields.items()), content_type=_FORM)
    elif way == "bearer":
        response = send(
            url, query_params={"json": fields["json"]}, headers={"authorization": f"Bearer {program.token}"}
        )
    else:
        response = send(url, f"token={program.token}", content_type=_FORM, query_params={"json": fields["json"]})
    assert response.json() == {"Status": "ok", "Code": 200, "Success": True, "Data": None}
    assert not Atendimento.objects.get().is_open


@pytest.mark.conforms("TB-form")
def test_the_query_wins_over_the_form_and_hash_is_read_from_it_too(program: Program) -> None:
    one, two = asked(program.company), asked(program.company)
    url = "/api/Atendimento/Excluir"
    body = f"Hash={one.hash}&token=wrong"
    response = program.client.post(
        url, body, content_type=_FORM, query_params={"token": program.token, "Hash": str(two.hash)}
    )
    assert response.status_code == 200
    response = program.client.post(url, body, content_type=_FORM, query_params={"token": program.token})
    assert response.status_code == 200
    assert not Atendimento.objects.living().exists()


@pytest.mark.conforms("TB-names")
def test_names_are_matched_in_any_case_and_unknown_ones_ignored(program: Program) -> None:
    atendimento = asked(program.company)
    url = "/api/Atendimento/encerraratendimento"
    body = json.dumps({"ATENDIMENTO": str(atendimento.pk).upper(), "empresa": "", "Cor": "azul"})
    assert program.client.post(url, query_params={"Token": program.token, "JSON": body}).status_code == 200
    assert not Atendimento.objects.get().is_open


@pytest.mark.conforms("TB-no-parameters")
@pytest.mark.parametrize("json_text", [None, "", "{}", "{broken", "null"])
def test_the_methods_without_parameters_take_any_json(program: Program, json_text: str | None) -> None:
    response = program.client.post(
        "/api/Atendimento/Acompanhar",
        query_params={"token": program.token, **({} if json_text is None else {"json": json_text})},
    )
    assert (response.status_code, response.json()["Data"]) == (200, [])


@pytest.mark.conforms("TB-verbs")
@pytest.mark.parametrize("verb", ["get", "put", "patch", "delete", "options"])
def test_other_verbs_are_a_405(program: Program, verb: str) -> None:
    response = getattr(program.client, verb)("/api/Atendimento/Listar")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response.json()["Success"] is False


@pytest.mark.conforms("TB-unknown-method")
@pytest.mark.parametrize("path", ["Atendimento/Inventar", "Atendimento/Listar/", "Atendimento/", "Atendimento"])
def test_what_is_no_method_is_a_404(program: Program, path: str) -> None:
    response = program.client.post(f"/api/{path}", query_params={"token": program.token})
    assert response.status_code == 404
    assert response.json()["Success"] is False


@pytest.mark.conforms("TB-size")
def test_a_body_that_is_too_large_is_a_413(program: Program, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = program.client.post("/api/Atendimento/Listar", "token=" + "x" * 200, content_type=_FORM)
    assert response.status_code == 413
    assert response.json()["Success"] is False


@pytest.mark.conforms("TB-companies")
def test_a_token_of_several_companies_must_name_one(program: Program) -> None:
    both = Program(make_company(), make_company())
    first, second = (uid_of(company) for company in both.companies)
    assert both.refused("ListarEmAberto")
    asked(both.companies[1])
    assert both.call("ListarEmAberto", {"Empresa": first}) == []
    assert [row["Empresa"] for row in both.call("ListarEmAberto", {"Empresa": second.upper()})] == [second]
    assert {row["EmpresaTitulo"] for row in both.call("ListarRecentes")} == {both.companies[1].name}
    unknown, foreign = (
        both.refused("ListarEmAberto", {"Empresa": str(program.user.pk)}),
        both.refused("ListarEmAberto", {"Empresa": uid_of(program.company)}),
    )
    assert unknown
    assert foreign == both.refused("ListarEmAberto", {"Empresa": "00000000-0000-0000-0000-000000000000"})


@pytest.mark.conforms("TB-digest")
def test_a_token_is_stored_as_a_digest_and_its_use_to_the_minute(program: Program) -> None:
    stored = ApiToken.objects.get()
    assert program.token not in {stored.digest, stored.prefix, str(stored)}
    assert stored.last_used_at is None
    program.call("ObterDashboard")
    used = ApiToken.objects.get().last_used_at
    program.call("ObterDashboard")
    assert used is not None
    assert ApiToken.objects.get().last_used_at == used


@pytest.mark.conforms("TB-companies")
def test_a_company_that_was_given_to_a_token_later_gets_what_the_api_needs(program: Program) -> None:
    company = make_company()
    token = ApiToken.objects.get()
    token.companies.add(company)
    program.user.companies.add(company)
    HelpdeskSettings.objects.filter(company=company).delete()
    program.call("ListarRecentes")
    assert HelpdeskSettings.objects.filter(company=company).exists()


@pytest.mark.conforms("TB-limits")
def test_who_calls_too_often_is_told_when_to_come_back(
    program: Program, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Of its own: tokens of other tests have the same id.
    counters = FileCounters(str(tmp_path / "counters.sqlite3"))
    monkeypatch.setattr(limits, "shared_counters", lambda: counters)
    settings.API_CALLS_PER_MINUTE_PER_KEY = 2
    answers = [program.post("ObterDashboard") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200, 500}
    assert int(answers[-1]["Retry-After"]) > 0 or answers[-1].status_code == 200


@pytest.mark.conforms("TB-message")
def test_a_token_never_reaches_the_log(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    company = program.company
    make_channel(company)
    with caplog.at_level(logging.DEBUG):
        program.post("EnviarMensagem", {"Contato": "visitante-1", "Plataforma": 1, "Mensagem": "Meu CPF é segredo"})
        program.post("EnviarMensagem", {"Contato": "visitante-1", "Plataforma": 99, "Mensagem": "Meu CPF é segredo"})
        program.post("PegarAtendimento", {"Atendente": str(make_attendant(company).pk), "Atendimento": "x"})
    ours = [record for record in caplog.records if not record.name.startswith("django.db")]
    text = "\n".join(record.getMessage() for record in ours)
    assert program.token not in text
    assert "segredo" not in text


@pytest.mark.conforms("TB-user")
def test_issuing_makes_the_user_an_attendant_without_a_turn() -> None:
    company = make_company()
    user = make_user(company, first_name="Integração")
    issue_token(user, [company], name="ERP")
    attendant = user.attendants.get()
    assert (attendant.company, attendant.capacity, attendant.presence) == (company, 0, "offline")
