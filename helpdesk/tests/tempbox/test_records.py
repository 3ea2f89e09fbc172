"""Consultar, Excluir, Listar, Salvar."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, Contact, Message, Occurrence, ScheduledMessage, Transfer
from helpdesk.services import closing, taking, writing
from helpdesk.states import Category, OccurrenceCategory, S, TransferReason
from helpdesk.tests.factories import make_attendant, make_bot, make_contact, make_team
from helpdesk.tests.scenes import asked, reread
from helpdesk.tests.tempbox.api import Program, uid_of

pytestmark = pytest.mark.django_db

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.conforms("TB-consultar")
def test_one_is_consulted_by_hash_or_id_with_the_conversation_as_safe_html(program: Program) -> None:
    company = program.company
    ana, atendimento = make_attendant(company, "Ana <b>"), asked(company, "<script>alert(1)</script>")
    writing.write_reply(atendimento.pk, ana, scope=None, text="Pois não & boa tarde", now=timezone.now())
    writing.write_note(atendimento.pk, ana, scope=None, text="segredo", now=timezone.now())
    (row,) = program.call("Consultar", {"Hash": str(atendimento.hash)})
    assert program.call("Consultar", {"Hash": str(atendimento.pk)}) == [row]
    html = row["VirtualHtmlConversa"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "Ana &lt;b&gt;" in html
    assert "Pois não &amp; boa tarde" in html
    assert "segredo" not in html
    assert "<script" not in html
    assert (row["AtendenteDescricao"], row["ReferenteResponsavelDescricao"]) == ("Ana <b>", "Ana <b>")
    assert (row["SolicitanteEmEspera"], row["Notificavel"], row["Categoria"]) == (False, True, 0)


@pytest.mark.conforms("TB-consultar", "TB-unknown-record")
def test_an_unknown_one_is_an_empty_list(program: Program) -> None:
    foreign = asked(make_company())
    for name in (NOBODY, "x", str(foreign.hash), str(foreign.pk)):
        assert program.call("Consultar", {"Hash": name}) == []
    assert "Hash" in program.refused("Consultar")


@pytest.mark.conforms("TB-listar")
def test_all_are_listed_newest_first_up_to_the_ceiling(settings: Any) -> None:
    both = Program(make_company(), make_company())
    kept = [asked(company) for company in (*both.companies, both.companies[0])]
    closing.close(kept[0].pk, scope=None, now=timezone.now())
    asked(make_company())
    rows = both.call("Listar")
    assert [row["Hash"] for row in rows] == [str(one.hash) for one in reversed(kept)]
    assert [row["AutonumeracaoEmpresa"] for row in rows] == [2, 1, 1]
    settings.TEMPBOX_ROWS_CEILING = 2
    assert len(both.call("Listar")) == 2


@pytest.mark.conforms("TB-excluir")
def test_a_deleted_one_is_in_no_list_and_stays_in_the_log(program: Program) -> None:
    company = program.company
    atendimento = asked(company)
    assert atendimento.contact is not None
    program.call("Excluir", Hash=str(atendimento.hash), json=None)
    mine = {"Contato": str(atendimento.contact.pk)}
    for method, values in (
        ("Listar", None), ("ListarEmAberto", None), ("ListarRecentes", None), ("ListarRelatorioPrincipal", None),
        ("ListarUltimasMensagens", None), ("ListarMensagensEmAberto", None), ("ObterNovasMensagensChatSiteSse", None),
        ("ListarMeusAtendimentos", mine), ("Consultar", {"Hash": str(atendimento.hash)}),
        ("ListarMensagensAtendimento", {"Atendimento": str(atendimento.pk)}),
        ("ListarMensagensAtendimentoChat", {"Atendimento": str(atendimento.pk)}),
    ):  # fmt: skip
        assert program.call(method, values) == [], method
    assert program.call("Acompanhar")[0]["CategoriaTitulo"] == "Exclusão"
    assert Contact.objects.get().atendimento_count == 0
    assert Message.objects.count() == 1
    assert program.refused("Excluir", Hash=str(atendimento.hash), json=None)


@pytest.mark.conforms("TB-excluir", "TB-refusals")
@pytest.mark.parametrize("key", [None, "", "x", NOBODY])
def test_nothing_is_deleted_without_a_known_hash(program: Program, key: str | None) -> None:
    asked(program.company)
    assert program.refused("Excluir", Hash=key, json=None)
    assert Atendimento.objects.living().count() == 1


@pytest.mark.conforms("TB-salvar-insert")
def test_a_new_one_has_the_defaults_and_its_numbers(program: Program) -> None:
    (row,) = program.call("Salvar", {"Titulo": "Visita técnica"})
    assert (row["Titulo"], row["Categoria"], row["Plataforma"], row["Notificavel"]) == ("Visita técnica", 0, 10, True)
    assert (row["AutonumeracaoEmpresa"], row["Concluido"], row["Iniciado"], row["Privado"]) == (1, False, False, False)
    stored = Atendimento.objects.get()
    assert (stored.state, stored.created_by, stored.updated_by) == (S.QUEUED, stored.updated_by, stored.created_by)
    assert row["UsuarioCriacaoEmail"] == program.user.email
    assert Occurrence.objects.get().category == OccurrenceCategory.NEW


@pytest.mark.conforms("TB-salvar-insert")
def test_a_new_one_with_everything(program: Program) -> None:
    company = program.company
    ana, author, contact = make_attendant(company, "Ana"), make_attendant(company, "Autor"), make_contact(company)
    chosen = uuid.uuid4()
    values = {
        "Empresa": uid_of(company), "HashAplicado": str(chosen), "Modo": "Inserir", "Titulo": "Venda", "Categoria": 3,
        "Plataforma": 4, "Atendente": str(ana.hash), "ReferenteResponsavel": str(ana.pk), "Iniciado": True,
        "InicioAtendimento": "2024-05-09T14:03:00", "ReferenteSolicitante": str(contact.hash), "Privado": 1,
        "AcessoLiberado": "chefe@example.com", "ObservacoesAdicionais": "<b>", "Notificavel": "false",
        "UsuarioCriacao": str(author.pk), "UsuarioAlteracao": str(author.pk), "VirtualHtmlConversa": "<p>não</p>",
    }  # fmt: skip
    (row,) = program.call("Salvar", values)
    assert row["Hash"] == str(chosen)
    assert (row["Atendente"], row["Iniciado"], row["InicioAtendimento"]) == (str(ana.pk), True, "2024-05-09T14:03:00")
    assert (row["Privado"], row["Notificavel"], row["VirtualHtmlConversa"]) == (True, False, "")
    assert (row["UsuarioCriacaoDescricao"], row["ReferenteSolicitante"]) == ("Autor", str(contact.pk))
    assert Atendimento.objects.get().state == S.IN_SERVICE
    contact.refresh_from_db()
    assert contact.atendimento_count == 1


@pytest.mark.conforms("TB-salvar-insert", "TB-salvar-close")
def test_a_new_one_may_be_closed_already(program: Program) -> None:
    values = {"Concluido": True, "InicioAtendimento": "2024-05-09T14:00:00", "TerminoAtendimento": "09/05/2024 15:00"}
    (row,) = program.call("Salvar", values)
    assert (row["Concluido"], row["TerminoAtendimento"]) == (True, "2024-05-09T15:00:00")


@pytest.mark.conforms("TB-salvar-update")
@pytest.mark.parametrize(
    "lookup", ["Hash", "Hash as id", "Atendimento", "Autonumeracao", "AutonumeracaoEmpresa", "Titulo"]
)
def test_one_is_found_by_whatever_identifies_it(program: Program, lookup: str) -> None:
    atendimento = asked(program.company)
    by = {
        "Atendimento": atendimento.pk, "Autonumeracao": atendimento.number,
        "AutonumeracaoEmpresa": atendimento.company_number, "Titulo": atendimento.title,
    }  # fmt: skip
    if lookup.startswith("Hash"):
        values: dict[str, Any] = {"Hash": str(atendimento.pk if lookup.endswith("id") else atendimento.hash)}
    else:
        values = {"ConsultarPorCampo": lookup.upper(), "ValorConsultaPorCampo": str(by[lookup])}
    (row,) = program.call("Salvar", {**values, "Modo": "alterar", "Categoria": 5})
    assert (row["Hash"], row["Categoria"], row["Titulo"]) == (str(atendimento.hash), 5, atendimento.title)
    assert Atendimento.objects.count() == 1
    assert row["UsuarioAlteracaoEmail"] == program.user.email


@pytest.mark.conforms("TB-salvar-update")
def test_only_the_listed_fields_are_written_and_a_missing_one_is_emptied(program: Program) -> None:
    atendimento = asked(program.company)
    key = {"Hash": str(atendimento.hash)}
    program.call("Salvar", {**key, "ObservacoesAdicionais": "antes", "Categoria": 2})
    (row,) = program.call(
        "Salvar", {**key, "CamposAtualizados": "observacoesadicionais, Titulo", "Titulo": "Novo", "Categoria": 4}
    )
    assert (row["Titulo"], row["ObservacoesAdicionais"], row["Categoria"]) == ("Novo", "", Category.SUPPORT)


@pytest.mark.conforms("TB-salvar-update")
def test_a_chosen_hash_that_exists_is_an_update_and_a_foreign_one_refused(program: Program) -> None:
    mine, foreign = asked(program.company), asked(make_company())
    (row,) = program.call("Salvar", {"HashAplicado": str(mine.hash), "Titulo": "Outro"})
    assert row["Hash"] == str(mine.hash)
    assert program.refused("Salvar", {"HashAplicado": str(foreign.hash)})
    assert program.refused("Salvar", {"Hash": str(foreign.hash), "Titulo": "Roubado"})
    assert reread(foreign).title != "Roubado"


@pytest.mark.conforms("TB-salvar-return")
def test_the_row_is_given_unless_it_is_not_wanted(program: Program) -> None:
    assert program.call("Salvar", {"RetornarDataSet": False}) is None
    assert len(program.call("Salvar", {"RetornarDataSet": 1})) == 1


@pytest.mark.conforms("TB-salvar-close")
def test_closing_and_opening_again_do_what_they_do_elsewhere(program: Program) -> None:
    company = program.company
    ana, atendimento = make_attendant(company), asked(company)
    taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
    ScheduledMessage.objects.create(
        company=company, atendimento=atendimento, attendant=ana, text="Depois", due_at=timezone.now()
    )
    key = {"Hash": str(atendimento.hash)}
    (row,) = program.call("Salvar", {**key, "Concluido": True})
    assert (row["Concluido"], row["SolicitanteEmEspera"]) == (True, False)
    assert ScheduledMessage.objects.get().state == "cancelled"
    (row,) = program.call("Salvar", {**key, "Concluido": False})
    assert (row["Concluido"], row["TerminoAtendimento"], row["Iniciado"]) == (False, None, True)
    assert reread(atendimento).state == S.IN_SERVICE
    program.call("Salvar", {**key, "Concluido": True})
    asked(company, contact=atendimento.contact, channel=atendimento.channel)
    assert program.refused("Salvar", {**key, "Concluido": False})


@pytest.mark.conforms("TB-salvar-holder")
def test_another_holder_is_a_transfer(program: Program) -> None:
    company = program.company
    ana, bot, team, atendimento = make_attendant(company), make_bot(company), make_team(company), asked(company)
    key = {"Hash": str(atendimento.hash)}
    program.call("Salvar", {**key, "Atendente": str(ana.pk)})
    assert (reread(atendimento).state, reread(atendimento).attendant) == (S.ASSIGNED, ana)
    assert Transfer.objects.get().reason == TransferReason.SAVED
    program.call("Salvar", {**key, "Atendente": str(bot.pk)})
    assert reread(atendimento).state == S.AUTOMATIC
    (row,) = program.call(
        "Salvar", {**key, "CamposAtualizados": "Atendente,ReferenteResponsavel", "ReferenteResponsavel": str(team.hash)}
    )
    assert (row["Atendente"], row["ReferenteResponsavel"]) == (None, str(team.pk))
    assert reread(atendimento).state == S.QUEUED


@pytest.mark.conforms("TB-salvar-refusals", "TB-refusals")
@pytest.mark.parametrize(
    "values",
    [
        {"Modo": "Apagar"},
        {"Modo": "Alterar"},
        {"Modo": "Alterar", "Hash": NOBODY},
        {"Iniciado": True},
        {"InicioAtendimento": "2024-05-09T14:00:00", "TerminoAtendimento": "2024-05-09T13:00:00"},
        {"Atendente": NOBODY},
        {"Atendente": "ana"},
        {"ReferenteResponsavel": NOBODY},
        {"ReferenteSolicitante": NOBODY},
        {"UsuarioCriacao": NOBODY},
        {"Categoria": 99},
        {"Plataforma": 0},
        {"Privado": "talvez"},
        {"Titulo": "x" * 201},
        {"ConsultarPorCampo": "Mensagem", "ValorConsultaPorCampo": "x"},
        {"ConsultarPorCampo": "Autonumeracao", "ValorConsultaPorCampo": "x"},
        {"ConsultarPorCampo": "Autonumeracao"},
        {"Hash": "x"},
        {"InicioAtendimento": "ontem"},
    ],
    ids=str,
)
def test_what_can_not_be_saved_leaves_nothing(program: Program, values: dict[str, Any]) -> None:
    assert program.refused("Salvar", values)
    assert not Atendimento.objects.exists()


@pytest.mark.conforms("TB-salvar-refusals")
def test_an_ambiguous_lookup_and_an_insert_over_another_are_refused(program: Program) -> None:
    one, two = asked(program.company), asked(program.company)
    assert one.title == two.title
    assert program.refused("Salvar", {"ConsultarPorCampo": "Titulo", "ValorConsultaPorCampo": one.title})
    assert program.refused("Salvar", {"Modo": "Inserir", "Hash": str(one.hash)})
    assert program.refused("Salvar", {"Hash": str(one.hash), "Titulo": "x", "TerminoAtendimento": "x"})
    assert reread(one).title == one.title


@pytest.mark.conforms("TB-salvar-holder")
def test_another_person_may_get_what_is_being_served_and_serves_on(program: Program) -> None:
    ana, rui, atendimento = make_attendant(program.company), make_attendant(program.company), asked(program.company)
    taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
    started_at = reread(atendimento).started_at
    (row,) = program.call("Salvar", {"Hash": str(atendimento.hash), "Atendente": str(rui.pk)})
    assert (row["Atendente"], row["Iniciado"]) == (str(rui.pk), True)
    stored = reread(atendimento)
    assert (stored.state, stored.attendant, stored.started_at) == (S.IN_SERVICE, rui, started_at)
    assert Transfer.objects.filter(reason=TransferReason.SAVED, to_attendant=rui).count() == 1


@pytest.mark.conforms("TB-salvar-update")
def test_what_was_said_goes_with_the_conversation_to_another_contact(program: Program) -> None:
    company = program.company
    (nobodys,) = program.call("Salvar", {"Titulo": "Sem solicitante"})
    program.call("EnviarMensagem", {"Atendimento": nobodys["Hash"], "Mensagem": "Olá"})
    mine, maria, other = asked(company), make_contact(company, "Maria"), make_contact(company, "Outra")
    for key in (nobodys["Hash"], str(mine.hash)):
        program.call("Salvar", {"Hash": key, "ReferenteSolicitante": str(maria.pk)})
    rows = program.call("ListarMensagensEmAberto")
    assert [(row["AtendimentoHash"], row["SolicitanteTitulo"]) for row in rows] == [
        (nobodys["Hash"], "Maria"),
        (str(mine.hash), "Maria"),
    ]
    theirs = asked(company, contact=other, channel=mine.channel)
    refusal = program.refused("Salvar", {"Hash": str(theirs.hash), "ReferenteSolicitante": str(maria.pk)})
    assert "outro atendimento aberto" in refusal
    maria.refresh_from_db()
    assert (maria.atendimento_count, reread(theirs).contact) == (2, other)


@pytest.mark.conforms("TB-salvar-update")
def test_the_end_of_an_open_one_is_written_and_kept_by_closing(program: Program) -> None:
    key = {"Hash": str(asked(program.company).hash)}
    (row,) = program.call("Salvar", {**key, "TerminoAtendimento": "2030-05-09T15:00:00"})
    assert (row["TerminoAtendimento"], row["Concluido"]) == ("2030-05-09T15:00:00", False)
    (row,) = program.call("Salvar", {**key, "Concluido": True})
    assert row["TerminoAtendimento"] == "2030-05-09T15:00:00"
    (row,) = program.call("Salvar", {**key, "Concluido": False})
    assert row["TerminoAtendimento"] is None
