"""The demo's helpdesk: who answers, what the bot and the IA know, and a few conversations with a past.

Loja Aurora never closes, so that a first look works at any hour; its site chat begins with a bot. Casa Verde keeps
office hours, and an IA answers there from what the shop wrote.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from callcenter.accounts.models import Company, User
from callcenter.demo import desk
from callcenter.demo.setting import (
    ATTENDANT_EMAIL,
    AURORA,
    CASA_VERDE,
    SECOND_ATTENDANT_EMAIL,
    SUPERVISOR_EMAIL,
    Cast,
)
from helpdesk.models import (
    Attendant,
    BotFlow,
    CannedMessage,
    Channel,
    Contact,
    FlowOption,
    FlowStep,
    HelpdeskSettings,
    KnowledgeArticle,
    Team,
    TeamMember,
    WorkingHours,
)
from helpdesk.services import booking, closing, writing
from helpdesk.services.assignment import assign_waiting
from helpdesk.services.data_collection import collect_contact_details
from helpdesk.services.first_reply import send_automatic_replies
from helpdesk.services.tokens import issue_token
from helpdesk.states import Adapter, AttendantKind, ClosedWith, FlowAction, Platform, Presence

if TYPE_CHECKING:
    import uuid

# Title, shortcut, text; those without variables may be answered by the IA too.
_CANNED: Final = (
    ("Saudação", 1, "{saudacao}, {primeiro_nome}! Sou {atendente}, da {empresa}. Como posso ajudar?"),
    ("Segunda via do boleto", 2, "A segunda via do boleto está em loja.example.com/boletos, com o número do pedido."),
    ("Despedida", 3, "Obrigado pelo contato, {primeiro_nome}. Seu protocolo é {protocolo}."),
    ("Já vamos atender", 10, "Seu atendimento está na fila, {primeiro_nome}; já falamos com você."),
    ("Todos ocupados", 11, "No momento todos estão ocupados. Assim que possível alguém responde por aqui."),
    ("Fora do horário", 12, "Atendemos de segunda a sexta, das 8h às 18h. Respondemos assim que abrirmos."),
)
_ARTICLES: Final = (
    ("Prazo de entrega", "frete, chega, demora", "A entrega leva até 5 dias úteis nas capitais e 10 no interior."),
    ("Trocas e devoluções", "arrependimento", "Você tem 7 dias para desistir e 30 para trocar, com a nota fiscal."),
    ("Formas de pagamento", "cartão, pix, parcelar", "Aceitamos cartão em até 10 vezes sem juros, PIX e boleto."),
    ("Garantia", "defeito, quebrado", "A garantia é de 12 meses contra defeitos de fabricação."),
    ("Endereço da loja", "onde fica", "Rua das Palmeiras, 100, Centro. Estacionamento no local."),
    ("Rastrear o pedido", "código de rastreio", "O código de rastreio vai por e-mail assim que o pedido sai da loja."),
)
_OFFICE: Final = ((time(8), time(12)), (time(13), time(18)))


def make_helpdesk(cast: Cast, *, now: datetime) -> None:
    """Make it, and play the conversations through the real services."""
    aurora, casa_verde = cast.companies[AURORA], cast.companies[CASA_VERDE]
    teams = {company: _make_people(company, cast) for company in (aurora, casa_verde)}
    for company, team in teams.items():
        _make_texts(company)
        automation = _make_bot(company, finance=_make_finance(company)) if company == aurora else _make_ia(company)
        Channel.objects.create(
            company=company,
            platform=Platform.SITE_CHAT,
            title=f"Site da {company.name}",
            reference_code="site",
            team=team,
            automation=automation,
            ia_replies=True,
            adapter=Adapter.SITE_CHAT,
            # The shop of the demo page; other sites may not use the widget.
            settings={"demo": company == aurora, "origins": []},
        )
    WorkingHours.objects.bulk_create(
        WorkingHours(company=casa_verde, weekday=day, opens_at=opens, closes_at=closes)
        for day in range(5)
        for opens, closes in _OFFICE
    )
    desk.prepare(aurora)
    _play(aurora, now=now)
    _ask_ia(casa_verde, now=now)
    desk.furnish(cast, now=now)


def make_tokens(cast: Cast) -> dict[str, str]:
    """The new token of Loja Aurora's program for the API of conversations, by its e-mail address."""
    program = User.objects.get(email=AURORA.api_email)
    return {AURORA.api_email: issue_token(program, [cast.companies[AURORA]], name="demo").secret}


def _make_people(company: Company, cast: Cast) -> Team:
    """The company's attendants, on-line, in a team under the supervisor."""
    team = Team.objects.create(company=company, name="Atendimento")
    for email in (ATTENDANT_EMAIL, SECOND_ATTENDANT_EMAIL, SUPERVISOR_EMAIL):
        is_boss = email == SUPERVISOR_EMAIL
        person = Attendant.objects.create(
            company=company,
            user=cast.people[email],
            name=cast.people[email].get_full_name(),
            email=email,
            is_manager=is_boss,
            # A supervisor is given what nobody answered, and nothing else.
            capacity=0 if is_boss else 5,
            presence=Presence.ONLINE,
        )
        TeamMember.objects.create(team=team, attendant=person, is_supervisor=is_boss)
    return team


def _make_finance(company: Company) -> Team:
    team = Team.objects.create(company=company, name="Financeiro")
    for person in Attendant.objects.filter(company=company, email__in=[ATTENDANT_EMAIL, SUPERVISOR_EMAIL]):
        TeamMember.objects.create(team=team, attendant=person, is_supervisor=person.is_manager)
    return team


def _make_texts(company: Company) -> None:
    """Canned messages, articles, and the settings that use them."""
    canned = {
        title: CannedMessage.objects.create(
            company=company, title=title, shortcut=shortcut, text=text, ia_may_use=shortcut < 10
        )
        for title, shortcut, text in _CANNED
    }
    KnowledgeArticle.objects.bulk_create(
        KnowledgeArticle(company=company, title=title, keywords=keywords, body=body)
        for title, keywords, body in _ARTICLES
    )
    HelpdeskSettings.objects.update_or_create(
        company=company,
        defaults={
            "waiting_minutes": 5,
            "waiting_message": canned["Já vamos atender"],
            "no_attendant_message": canned["Todos ocupados"],
            "out_of_hours_message": canned["Fora do horário"],
            "ladder_minutes": 15,
            "inactivity_minutes": 60,
            "inactivity_message": "{primeiro_nome}, ainda está aí? Se preferir, continue mais tarde.",
            "closing_message": "Encerramos por falta de resposta. É só escrever de novo quando quiser.",
            "holiday_state": "SP",
        },
    )


def _make_bot(company: Company, *, finance: Team) -> Attendant:
    """The bot that greets: a menu of three ways on and a person."""
    flow = BotFlow.objects.create(
        company=company,
        title="Boas-vindas",
        not_understood="Desculpe, não entendi.",
        handover_text="Certo, vou chamar uma pessoa. Um momento.",
    )
    hello, menu, delivery, invoice = (
        FlowStep.objects.create(flow=flow, company=company, position=position, title=title, text=text)
        for position, (title, text) in enumerate(
            [
                ("Olá", "{saudacao}! Este é o atendimento da {empresa}."),
                ("Menu", "Escolha uma opção ou escreva em poucas palavras:"),
                ("Entrega", "A entrega leva até 5 dias úteis nas capitais e 10 no interior. Algo mais?"),
                ("Boleto", "Qual é o número do pedido?"),
            ],
            start=1,
        )
    )
    ways = (
        ("Prazo de entrega", "frete, entrega, chega", FlowAction.STEP, delivery),
        ("Segunda via do boleto", "boleto", FlowAction.STEP, invoice),
        ("Falar com uma pessoa", "atendente, humano", FlowAction.HANDOVER, None),
    )
    for step in (menu, delivery):
        for position, (label, keywords, action, target) in enumerate(ways, start=1):
            FlowOption.objects.create(
                step=step, position=position, label=label, keywords=keywords, action=action, next_step=target
            )
    FlowOption.objects.create(
        step=delivery, position=9, label="Não, obrigado", keywords="não, nada, obrigado", action=FlowAction.CLOSE
    )
    FlowStep.objects.filter(pk=hello.pk).update(after=FlowAction.STEP, next_step=menu)
    FlowStep.objects.filter(pk=invoice.pk).update(team=finance)
    BotFlow.objects.filter(pk=flow.pk).update(first_step=hello)
    return Attendant.objects.create(company=company, name="Aurora (bot)", kind=AttendantKind.BOT, flow=flow)


def _make_ia(company: Company) -> Attendant:
    return Attendant.objects.create(company=company, name="Assistente", kind=AttendantKind.IA)


def _play(company: Company, *, now: datetime) -> None:
    """Four conversations that the bot began: closed, being served, waiting for a person, and still with the bot."""
    channel = Channel.objects.get(company=company)
    stories = (
        ("", 180, ("Oi", "meu nome é Lúcia Ramos, lucia@exemplo.example", "atendente")),
        ("Pedro Nunes", 50, ("Boa tarde", "2", "1003")),
        ("Rita Souza", 20, ("Olá, comprei uma poltrona", "3")),
        ("Davi Lopes", 4, ("Oi!",)),
    )
    for name, minutes_ago, texts in stories:
        contact, at = Contact.objects.create(company=company, name=name), now - timedelta(minutes=minutes_ago)
        for place, text in enumerate(texts):
            moment = at + timedelta(seconds=20 * place)
            done = writing.receive_message(contact, channel, text=text, now=moment)
            send_automatic_replies([company.pk], now=moment + timedelta(seconds=2))
        collect_contact_details([company.pk], now=at + timedelta(minutes=1))
        served_at = at + timedelta(minutes=2)
        if minutes_ago > 20:
            assign_waiting([company.pk], now=served_at)
            _serve(done.atendimento.pk, company, now=served_at, is_closed=minutes_ago > 60)


def _serve(atendimento_id: uuid.UUID, company: Company, *, now: datetime, is_closed: bool) -> None:
    """The person who was given it answers, and closes it or promises to write tomorrow."""
    holder = Attendant.objects.get(atendimentos=atendimento_id)
    scope, later = [company.pk], now + timedelta(minutes=5)
    writing.write_reply(atendimento_id, holder, scope=scope, text="Olá! Já estou vendo isso.", now=now)
    if is_closed:
        closing.close(atendimento_id, scope=scope, now=later, with_=ClosedWith.PERSON, by=holder)
        return
    tomorrow = now + timedelta(days=1)
    booking.schedule_message(
        atendimento_id, holder, scope=scope, text="Bom dia! O boleto chegou?", due_at=tomorrow, now=now
    )


def _ask_ia(company: Company, *, now: datetime) -> None:
    channel, contact = Channel.objects.get(company=company), Contact.objects.create(company=company, name="Nina Prado")
    asked_at = now - timedelta(minutes=12)
    writing.receive_message(contact, channel, text="Qual o prazo de entrega?", now=asked_at)
    send_automatic_replies([company.pk], now=asked_at + timedelta(seconds=3))
