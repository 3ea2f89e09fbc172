"""The lists: which rows, in what order, and what the fields say that their names do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from callcenter.tests.factories import make_company
from helpdesk.models import Appointment, Atendimento, Attachment, Message, Tag, WireCode, WorkingHours
from helpdesk.services import closing, forwarding, reading, taking, writing
from helpdesk.states import AttendantKind, Platform, Presence
from helpdesk.tests.factories import (
    make_attendant,
    make_bot,
    make_canned,
    make_channel,
    make_contact,
    make_ia,
    make_team,
)
from helpdesk.tests.scenes import asked, opened, reread
from helpdesk.tests.tempbox.api import Program, uid_of

pytestmark = pytest.mark.django_db

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.conforms("TB-em-aberto")
def test_the_open_ones_come_with_their_latest_message_first(program: Program) -> None:
    company = program.company
    ana = make_attendant(company, "Ana Souza", image_url="https://img.example.com/ana.png")
    make_team(company, ana, name="Vendas")
    make_team(company, ana, name="Suporte")
    maria = make_contact(
        company, email="maria@example.com", city="Campinas", state="SP", organisation="ACME",
        address=(Platform.WHATSAPP, "+5511987654321"),
    )  # fmt: skip
    channel = make_channel(company, Platform.WHATSAPP, title="Matriz")
    first = asked(company, "Bom dia", contact=maria, channel=channel, address=maria.addresses.get())
    second, silent, closed = asked(company, "Oi"), opened(company), asked(company)
    closing.close(closed.pk, scope=None, now=timezone.now())
    taking.start(first.pk, ana, scope=None, now=timezone.now())
    writing.write_reply(first.pk, ana, scope=None, text="Pois não?", now=timezone.now())
    rows = program.call("ListarEmAberto")
    assert [row["Hash"] for row in rows] == [str(one.hash) for one in (first, second, silent)]
    top = rows[0]
    assert (top["Mensagem"], top["Momento"], top["NaoLidas"], top["Iniciado"]) == ("Pois não?", "agora", 1, True)
    assert (top["AtendenteTitulo"], top["AtendentePrimeiroNome"]) == ("Ana Souza", "Ana")
    assert (top["EquipesAtendentes"], top["AtendenteHash"]) == ("Suporte, Vendas", str(ana.hash))
    assert (top["SolicitanteTitulo"], top["SolicitanteIniciais"]) == ("Maria Silva", "MS")
    assert (top["SolicitanteLocalizacao"], top["SolicitanteEmpresa"]) == ("Campinas/SP", "ACME")
    assert (top["Plataforma"], top["PlataformaTitulo"], top["ReferenteCanal"]) == (2, "WhatsApp", "Matriz")
    assert (top["PlataformaFormaContato"], top["ReferenteCanalFormaContato"]) == (2, "+5511987654321")
    assert (top["QtdAtendimentos"], top["TagNovo"], top["TagCliente"], top["Cliente"]) == (1, True, "", None)
    assert (rows[2]["Mensagem"], rows[2]["Horario"], rows[2]["AtendenteHash"]) == (None, None, None)


@pytest.mark.conforms("TB-meus")
def test_mine_are_the_contacts_open_and_closed_newest_first(program: Program) -> None:
    one = asked(program.company)
    closing.close(one.pk, scope=None, now=timezone.now())
    two = asked(program.company, contact=one.contact, channel=one.channel)
    asked(program.company)
    assert one.contact is not None
    for name in (one.contact.pk, one.contact.hash):
        rows = program.call("ListarMeusAtendimentos", {"Contato": str(name)})
        assert [(row["Hash"], row["Concluido"]) for row in rows] == [(str(two.hash), False), (str(one.hash), True)]
    assert {row["QtdAtendimentos"] for row in rows} == {2}
    assert program.call("ListarMeusAtendimentos", {"Contato": NOBODY}) == []
    assert program.call("ListarMeusAtendimentos", {"Contato": "maria"}) == []
    assert "Contato" in program.refused("ListarMeusAtendimentos")


@pytest.mark.conforms("TB-recentes")
def test_the_recent_ones_are_the_last_altered_over_all_companies() -> None:
    both = Program(make_company(), make_company())
    kept = [asked(company) for company in (*both.companies, *both.companies)]
    closing.close(kept[0].pk, scope=None, now=timezone.now())
    asked(make_company())
    rows = both.call("ListarRecentes")
    assert rows[0]["Atendimento"] == str(kept[0].pk)
    assert rows[0]["Concluido"] is True
    assert {row["Empresa"] for row in rows} == {uid_of(company) for company in both.companies}
    assert len(both.call("ListarRecentes", {"top": 3})) == 3
    assert len(both.call("ListarRecentes", {"TOP": "-1"})) == 4
    assert both.refused("ListarRecentes", {"top": "muitos"})


@pytest.mark.conforms("TB-ultimas")
def test_the_last_messages_are_one_a_conversation_with_holder_and_author(program: Program) -> None:
    company = program.company
    ana, bot = make_attendant(company, "Ana Souza"), make_bot(company)
    one, two = asked(company, "x" * 100), asked(company, channel=make_channel(company, automation=bot, title="Loja"))
    taking.take(one.pk, ana, scope=None, now=timezone.now())
    writing.write_reply(two.pk, bot, scope=None, text="Olá! Sou o robô.", now=timezone.now())
    reply, question = program.call("ListarUltimasMensagens")
    assert (reply["AutorMensagem"], reply["AtendenteMensagemTipoAtendenteTitulo"]) == ("Robô", "Bot")
    assert (reply["MensagemAtendente"], reply["SolicitanteEmEspera"]) == (True, False)
    assert reply["PlataformaConteudo"] == "Chat do site · Loja"
    assert (question["AtendenteTitulo"], question["AtendenteResponsavelTitulo"]) == (None, "Ana Souza")
    assert (question["MensagemReticencias"], len(question["Mensagem"])) == ("x" * 59 + "…", 100)
    assert question["AtendimentoOriginalHash"] == question["AtendimentoHash"] == str(one.hash)


@pytest.mark.conforms("TB-mensagens-em-aberto", "TB-window")
def test_the_messages_of_open_ones_bring_what_was_said_before_and_go_on_by_number(program: Program) -> None:
    company = program.company
    ana, first = make_attendant(company, "Ana Souza"), asked(company, "Primeira vez")
    taking.start(first.pk, ana, scope=None, now=timezone.now())
    closing.close(first.pk, scope=None, now=timezone.now())
    second = asked(company, "De novo", contact=first.contact, channel=first.channel)
    other = asked(company, "Outra pessoa")
    closing.close(other.pk, scope=None, now=timezone.now())
    message = Message.objects.get(text="De novo")
    Attachment.objects.create(
        company=company, message=message, name="nota.PDF", extension="pdf", url="https://f.example.com/n"
    )
    old, new = program.call("ListarMensagensEmAberto")
    assert [row["Mensagem"] for row in (old, new)] == ["Primeira vez", "De novo"]
    assert {row["AtendimentoHash"] for row in (old, new)} == {str(second.hash)}
    assert (old["AtendimentoOriginalHash"], new["AtendimentoOriginalHash"]) == (str(first.hash), str(second.hash))
    assert (old["AtendenteOriginalTitulo"], old["AtendenteResponsavelTitulo"]) == ("Ana Souza", None)
    assert old["TerminoAtendimentoOriginal"] is not None
    assert (new["ArquivoAnexo"], new["Extensao"], new["UrlAnexo"]) == ("nota.PDF", "pdf", "https://f.example.com/n")
    assert old["ArquivoAnexo"] is None
    number = old["Autonumeracao"]
    assert program.call("ListarMensagensEmAberto", {"Inicio": number + 1}) == [new]
    assert program.call("ListarMensagensEmAberto", {"Inicio": number, "Termino": number}) == [old]
    assert program.call("ListarMensagensEmAberto", {"Inicio": 0, "Termino": 0}) == [old, new]
    assert program.refused("ListarMensagensEmAberto", {"Inicio": -1})


@pytest.mark.conforms("TB-window")
def test_a_window_is_cut_at_500_and_goes_on_from_the_last_number(program: Program) -> None:
    atendimento = asked(program.company)
    Message.objects.bulk_create(
        Message(atendimento=atendimento, company=program.company, contact=atendimento.contact, platform=1, number=n,
                text=str(n), is_inbound=True)
        for n in range(2, 603)
    )  # fmt: skip
    for method in ("ListarMensagensEmAberto", "ObterNovasMensagensChatSiteSse"):
        seen: list[int] = []
        while rows := program.call(method, {"Inicio": seen[-1] + 1 if seen else 0}):
            assert len(rows) <= 500
            seen += [row["Autonumeracao"] for row in rows]
        assert seen == list(range(1, 603))


@pytest.mark.conforms("TB-mensagens", "TB-read")
def test_an_attendant_who_opens_a_thread_has_read_it_and_sees_notes(program: Program) -> None:
    company = program.company
    atendimento, ana = asked(company), make_attendant(company, "Ana Souza")
    writing.write_note(atendimento.pk, ana, scope=None, text="Cuidado", now=timezone.now())
    rows = program.call("ListarMensagensAtendimento", {"Atendimento": str(atendimento.hash)})
    assert [(row["Mensagem"], row["MensagemAtendente"]) for row in rows] == [
        ("Olá, preciso de ajuda", 0),
        ("Cuidado", 1),
    ]
    assert [row["AutorMensagem"] for row in rows] == ["Maria Silva", "Ana Souza"]
    assert [row["AtendenteMensagemTipoAtendenteTitulo"] for row in rows] == [None, "Humano"]
    assert (reread(atendimento).unread, reread(atendimento).is_waiting) == (0, True)


@pytest.mark.conforms("TB-mensagens-chat")
def test_the_visitors_view_has_no_notes_and_reads_nothing(program: Program) -> None:
    company = program.company
    atendimento = asked(company)
    writing.write_note(atendimento.pk, make_attendant(company), scope=None, text="Cuidado", now=timezone.now())
    writing.write_automatic(reread(atendimento), text="Já atendemos", now=timezone.now())
    rows = program.call("ListarMensagensAtendimentoChat", {"Atendimento": str(atendimento.pk)})
    assert [row["Mensagem"] for row in rows] == ["Olá, preciso de ajuda", "Já atendemos"]
    assert rows[1]["AutorMensagem"] == company.name
    assert reread(atendimento).unread == 1


@pytest.mark.conforms("TB-mensagens", "TB-mensagens-chat", "TB-unknown-record")
@pytest.mark.parametrize("method", ["ListarMensagensAtendimento", "ListarMensagensAtendimentoChat"])
def test_the_thread_of_an_unknown_one_is_empty(program: Program, method: str) -> None:
    foreign = asked(make_company())
    for name in (NOBODY, "x", str(foreign.pk), str(foreign.hash)):
        assert program.call(method, {"Atendimento": name}) == []
    assert reread(foreign).unread == 1
    assert "Atendimento" in program.refused(method)


@pytest.mark.conforms("TB-sse")
def test_the_poll_for_site_chats_has_both_sides_of_all_companies_and_nothing_else() -> None:
    both = Program(make_company(), make_company())
    one, two = (asked(company) for company in both.companies)
    ana = make_attendant(both.companies[0])
    writing.write_reply(one.pk, ana, scope=None, text="Pois não", now=timezone.now())
    writing.write_note(one.pk, ana, scope=None, text="Cuidado", now=timezone.now())
    asked(both.companies[0], channel=make_channel(both.companies[0], Platform.EMAIL))
    asked(make_company())
    rows = both.call("ObterNovasMensagensChatSiteSse", {"Inicio": 1})
    assert [row["AtendimentoHash"] for row in rows] == [str(one.hash), str(two.hash), str(one.hash)]
    assert [row["TipoAtendente"] for row in rows] == [None, None, 1]
    assert both.call("ObterNovasMensagensChatSiteSse", {"Inicio": rows[-1]["Autonumeracao"] + 1}) == []


@pytest.mark.conforms("TB-padrao")
def test_canned_messages_are_the_active_ones_by_title(program: Program) -> None:
    make_canned(program.company, title="Boas-vindas", shortcut=12)
    make_canned(program.company, title="Até logo", platform=Platform.WHATSAPP)
    make_canned(program.company, title="Antiga", is_active=False)
    make_canned(make_company())
    rows = program.call("ListarMensagensPadrao")
    assert [(row["Titulo"], row["TituloAbreviado"], row["Plataforma"]) for row in rows] == [
        ("Até logo", None, 2),
        ("Boas-vindas", 12, None),
    ]


@pytest.mark.conforms("TB-hashes", "TB-hashes-humanos")
def test_team_mates_are_told_by_hash(program: Program, settings: Any) -> None:
    company = program.company
    ana, rui, ia = make_attendant(company), make_attendant(company), make_ia(company)
    make_team(company, ana, rui, ia, make_attendant(company, is_active=False))
    make_team(company, ana, rui)
    make_team(company, make_attendant(company))
    all_of_them = program.call("ListarHashesOutrosAtendentesEquipesAtendente", {"Atendente": str(ana.pk)})
    assert {row["Hash"] for row in all_of_them} == {str(rui.hash), str(ia.hash)}
    people = program.call("ListarHashesOutrosHumanosEquipesAtendente", {"Atendente": str(ana.hash)})
    assert people == [{"Hash": str(rui.hash)}]
    settings.TEMPBOX_HUMAN_HASHES_ALWAYS_NULL = True
    assert program.call("ListarHashesOutrosHumanosEquipesAtendente", {"Atendente": str(ana.pk)}) is None


@pytest.mark.conforms("TB-hashes", "TB-hashes-humanos")
def test_without_mates_or_a_known_attendant_there_are_none(program: Program) -> None:
    alone, foreign = make_attendant(program.company), make_attendant(make_company())
    for name in (str(alone.pk), str(foreign.pk), NOBODY, "x"):
        assert program.call("ListarHashesOutrosAtendentesEquipesAtendente", {"Atendente": name}) == []
        assert program.call("ListarHashesOutrosHumanosEquipesAtendente", {"Atendente": name}) is None


@pytest.mark.conforms("TB-agenda")
def test_free_times_are_the_working_hours_less_the_appointments(program: Program) -> None:
    company = program.company
    ana = make_attendant(company, "Ana")
    rui = make_attendant(company, "Rui")
    day = (timezone.now().astimezone(company.zone) + timedelta(days=2)).replace(
        hour=9, minute=0, second=0, microsecond=0
    )
    WorkingHours.objects.create(company=company, weekday=day.weekday(), opens_at="09:00", closes_at="10:30")
    company.special_days.create(on=day.date(), opens_at="09:00", closes_at="10:30")
    company.special_days.create(on=day.date() + timedelta(days=7), name="Fechado")
    Appointment.objects.create(company=company, attendant=ana, starts_at=day, ends_at=day + timedelta(minutes=30))
    rows = program.call("ListarDiasHorariosAtendentesAgendaDisponivel", {"AtendenteRelacionado": str(ana.pk)})
    assert [row["Data"] for row in rows] == [f"{day:%Y-%m-%d}T09:30:00", f"{day:%Y-%m-%d}T10:00:00"]
    everyone = program.call("ListarDiasHorariosAtendentesAgendaDisponivel")
    assert {row["Usuario"] for row in everyone} >= {str(ana.pk), str(rui.pk)}
    assert everyone == sorted(everyone, key=lambda row: (row["Data"], row["Usuario"]))
    unknown = {"AtendenteRelacionado": NOBODY}
    assert program.call("ListarDiasHorariosAtendentesAgendaDisponivel", unknown) == []


@pytest.mark.conforms("TB-relatorio")
def test_the_report_shows_what_the_user_may_see(program: Program) -> None:
    company = program.company
    ana, rui, boss = make_attendant(company, "Ana"), make_attendant(company, "Rui"), make_attendant(company)
    boss.is_manager = True
    boss.save(update_fields=["is_manager"])
    team = make_team(company, ana, name="Vendas")
    own, teams, private, foreign = (asked(company) for _ in range(4))
    taking.start(own.pk, ana, scope=None, now=timezone.now())
    forwarding.forward(teams.pk, team, scope=None, now=timezone.now())
    forwarding.forward(private.pk, team, scope=None, now=timezone.now())
    taking.take(foreign.pk, rui, scope=None, now=timezone.now())
    Atendimento.objects.filter(pk=private.pk).update(is_private=True)

    def seen(**values: Any) -> list[str]:
        return [row["Hash"] for row in program.call("ListarRelatorioPrincipal", values)]

    everything = [str(one.hash) for one in (foreign, private, teams, own)]
    assert seen() == seen(Usuario=str(boss.hash)) == everything
    assert seen(Usuario=str(ana.pk)) == [str(teams.hash), str(own.hash)]
    Atendimento.objects.filter(pk=private.pk).update(access_granted=f"x, {ana.hash}")
    assert seen(Usuario=str(ana.pk)) == [str(private.hash), str(teams.hash), str(own.hash)]
    assert seen(Usuario=NOBODY) == []


@pytest.mark.conforms("TB-relatorio")
def test_the_report_shows_texts_beside_the_values(program: Program) -> None:
    company = program.company
    ana, atendimento = make_attendant(company, "Ana Souza"), asked(company)
    taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
    tags = [Tag.objects.create(company=company, title=title) for title in ("Urgente", "Nota fiscal")]
    atendimento.tags.set(tags)
    (row,) = program.call("ListarRelatorioPrincipal")
    assert (row["Iniciado"], row["IniciadoValor"], row["Concluido"], row["ConcluidoValor"]) == (
        "Sim",
        True,
        "Não",
        False,
    )
    assert (row["AtendimentoCodigo"], row["AutonumeracaoEmpresa"]) == ("00000001", 1)
    assert (row["Marcadores"], row["MarcadoresHash"]) == ("Nota fiscal, Urgente", f"{tags[1].hash}, {tags[0].hash}")
    assert (row["ReferenteResponsavelTipo"], row["ReferenteResponsavel"]) == ("Usuário", "Ana Souza")
    team = make_team(company, name="Vendas")
    forwarding.forward(atendimento.pk, team, scope=None, now=timezone.now())
    (row,) = program.call("ListarRelatorioPrincipal")
    assert (row["ReferenteResponsavelTipo"], row["ReferenteResponsavelHash"]) == ("Equipe", str(team.hash))


@pytest.mark.conforms("TB-dashboard")
def test_the_dashboard_always_has_every_name_in_order(program: Program) -> None:
    empty = program.call("ObterDashboard")
    assert [row["Propriedade"] for row in empty] == [
        "TotalAtendimentos", "EmAberto", "NaFila", "EmAtendimento", "EmEspera", "AbertosHoje", "ConcluidosHoje",
        "MensagensHoje", "AtendentesOnline", "TempoMedioEspera", "TempoMedioAtendimento",
    ]  # fmt: skip
    assert [row["Valor"] for row in empty] == ["0"] * 9 + ["", ""]


@pytest.mark.conforms("TB-dashboard")
def test_the_dashboard_counts_what_is_there(program: Program) -> None:
    company, now = program.company, timezone.now()
    # Noon of the company, so that a minute or an hour more is the same day.
    now = now.astimezone(company.zone).replace(hour=12, minute=0, second=0, microsecond=0)
    ana = make_attendant(company)
    make_attendant(company, presence=Presence.PAUSED)
    make_attendant(company, kind=AttendantKind.BOT)
    one, _two, _yesterdays = (
        asked(company, now=now),
        asked(company, now=now),
        asked(company, now=now - timedelta(days=1)),
    )
    later = now + timedelta(seconds=90)
    taking.start(one.pk, ana, scope=None, now=later)
    closing.close(one.pk, scope=None, now=later + timedelta(hours=1))
    gone = asked(company, now=now)
    closing.delete(gone.pk, scope=None, now=now)
    asked(make_company(), now=now)
    with travel(now + timedelta(hours=2), tick=False):
        values = {row["Propriedade"]: row["Valor"] for row in program.call("ObterDashboard")}
    assert values == {
        "TotalAtendimentos": "3", "EmAberto": "2", "NaFila": "2", "EmAtendimento": "0", "EmEspera": "2",
        "AbertosHoje": "2", "ConcluidosHoje": "1", "MensagensHoje": "2", "AtendentesOnline": "1",
        "TempoMedioEspera": "00:01:30", "TempoMedioAtendimento": "01:00:00",
    }  # fmt: skip


@pytest.mark.conforms("TB-acompanhar")
def test_the_log_is_followed_newest_first() -> None:
    both = Program(make_company(), make_company())
    one, two = (asked(company) for company in both.companies)
    closing.close(one.pk, scope=None, now=timezone.now())
    asked(make_company())
    rows = both.call("Acompanhar")
    assert [(row["CategoriaTitulo"], row["CodigoStatus"]) for row in rows] == [
        ("Encerramento", 1),
        ("Sem atendente", 0),
        ("Novo atendimento", 1),
        ("Sem atendente", 3),
        ("Novo atendimento", 1),
    ]
    assert [row["Sequencial"] for row in rows] == [3, 2, 1, 2, 1]
    assert {row["Tabela"] for row in rows} == {"Atendimento"}
    assert {row["Referente"] for row in rows} == {str(one.pk), str(two.pk)}
    assert (rows[0]["Nome"], rows[0]["AlteracaoNome"]) == (one.protocol, rows[0]["Alteracao"])


@pytest.mark.conforms("TB-codes")
def test_an_installation_may_give_the_enumerations_other_numbers(program: Program) -> None:
    WireCode.objects.create(kind="platform", value=Platform.WHATSAPP, code=42, title="Zap")
    channel = make_channel(program.company, Platform.WHATSAPP)
    program.call("EnviarMensagem", {"Contato": "11987654321", "Plataforma": 42, "Mensagem": "Oi"})
    (row,) = program.call("ListarEmAberto")
    assert (row["Plataforma"], row["PlataformaTitulo"], row["ReferenteCanal"]) == (42, "Zap", channel.title)
    assert program.refused("EnviarMensagem", {"Contato": "11987654321", "Plataforma": 2, "Mensagem": "Oi"})


@pytest.mark.conforms("TB-read")
def test_read_messages_are_counted_once(program: Program) -> None:
    atendimento = asked(program.company)
    reading.mark_read(reread(atendimento), now=timezone.now())
    (row,) = program.call("ListarEmAberto")
    assert row["NaoLidas"] == 0
