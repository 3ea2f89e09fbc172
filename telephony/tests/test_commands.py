"""Commands about a call under way and DAC devices, through their doors, against the simulated PABX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict, NotFound
from callcenter.tests.factories import make_attendant, make_company, make_line, make_supervisor
from telephony.models import CallAttempt, CallCommand, DacDevice, DialerLine
from telephony.providers.base import Ambiguous
from telephony.services import commands, dac, placing
from telephony.services.commands import command_call
from telephony.states import AttemptState, CommandKind, CommandOutcome
from telephony.tests.channels import Pabx
from telephony.tests.scenes import claim, in_threads, make_callcenter, make_due, placed_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)

Kind, Outcome = CommandKind, CommandOutcome


@pytest.fixture(scope="module")
def running_pabx() -> Iterator[Pabx]:
    pabx = Pabx()
    yield pabx
    pabx.stop()


@pytest.fixture
def pabx(running_pabx: Pabx, settings: Settings) -> Pabx:
    running_pabx.reset()
    settings.DIGITRO_FINISH_SLUG = "finaliza-chamada"
    settings.DIGITRO_TRANSFER_SLUG = "transfere-chamada"
    settings.DIGITRO_ASSOCIATE_SLUG = "associa-dados"
    settings.DIGITRO_DAC_LOGIN_SLUG = "login-dac"
    settings.DIGITRO_READ_TIMEOUT_SECONDS = 0.5
    return running_pabx


@pytest.fixture
def attempt(pabx: Pabx) -> CallAttempt:
    """A call of which nobody hears anything, so that it stays under way."""
    line = make_callcenter(base_url=pabx.url)
    make_due(line.company, phone="(48) 3281-7023")
    (claimed,) = claim(line)
    placing.place_call(claimed.pk)
    claimed.refresh_from_db()
    assert claimed.state == AttemptState.PLACED
    return claimed


def command(attempt: CallAttempt, kind: CommandKind, **options: Any) -> CallCommand:
    return command_call(attempt.pk, kind, **{"actor": None, "scope": None, "now": timezone.now(), **options})


@pytest.mark.parametrize(
    ("kind", "options", "sent"),
    [
        (Kind.FINISH, {}, {"slug": "finaliza-chamada"}),
        (Kind.TRANSFER, {"argument": "1125001"}, {"slug": "transfere-chamada", "DISPOSITIVO_DESTINO": "1125001"}),
        (
            Kind.REDIRECT,
            {"argument": "1125002", "priority": 19},
            {"slug": "executa-desvio", "DISPOSITIVO_DESTINO": "1125002", "PRIORIDADE": "19", "DADOS": None},
        ),
        (Kind.ASSOCIATE, {"argument": "VIP"}, {"slug": "associa-dados", "DADOS": "{token};VIP"}),
    ],
)
def test_a_command_is_sent_with_its_fields_and_written_down(
    pabx: Pabx, attempt: CallAttempt, kind: CommandKind, options: dict[str, Any], sent: dict[str, Any]
) -> None:
    done = command(attempt, kind, **options)
    assert (done.outcome, done.argument) == (Outcome.DONE, options.get("argument", ""))
    if "DADOS" in sent and sent["DADOS"]:
        sent = {**sent, "DADOS": sent["DADOS"].format(token=attempt.token.hex)}
    expected = {"DISPOSITIVO": "1125000", "ID_CHAMADA": attempt.provider_call_id, **sent}
    assert pabx.commands()["done"] == [expected]


@pytest.mark.parametrize(
    ("answer", "outcome", "status"),
    [
        ("400", Outcome.REFUSED, 400),
        ("403", Outcome.REFUSED, 403),
        ("500", Outcome.UNKNOWN, 500),
        ("silence", Outcome.UNKNOWN, None),
    ],
)
def test_what_the_pabx_answers_is_told_and_nothing_is_repeated(
    pabx: Pabx, attempt: CallAttempt, answer: str, outcome: CommandOutcome, status: int | None
) -> None:
    pabx.next_command(answer)
    done = command(attempt, Kind.FINISH)
    assert (done.outcome, done.error_status) == (outcome, status)
    assert len(pabx.commands()["done"]) == (outcome == Outcome.UNKNOWN)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.PLACED
    assert DialerLine.objects.get(pk=attempt.line_id).suspended_reason == ""


def test_without_a_connection_nothing_is_sent(attempt: CallAttempt) -> None:
    DialerLine.objects.filter(pk=attempt.line_id).update(base_url="http://127.0.0.1:9")
    assert command(attempt, Kind.FINISH).outcome == Outcome.NOT_SENT


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Kind.TRANSFER, {"argument": ""}),
        (Kind.TRANSFER, {"argument": "fila de vendas"}),
        (Kind.TRANSFER, {"argument": "1\n2"}),
        (Kind.REDIRECT, {"argument": "1", "priority": 20}),
        (Kind.ASSOCIATE, {"argument": " "}),
        (Kind.ASSOCIATE, {"argument": "x" * 161}),
        (Kind.ASSOCIATE, {"argument": "a\0b"}),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    pabx: Pabx, attempt: CallAttempt, kind: CommandKind, options: dict[str, Any]
) -> None:
    with pytest.raises(Conflict):
        command(attempt, kind, **options)
    assert (pabx.commands()["done"], CallCommand.objects.count()) == ([], 0)


def test_only_a_call_under_way_a_known_slug_and_an_open_channel_take_commands(
    pabx: Pabx, attempt: CallAttempt, settings: Settings
) -> None:
    with pytest.raises(NotFound):
        command(attempt, Kind.FINISH, scope=[attempt.company_id + 1])
    settings.DIGITRO_TRANSFER_SLUG = ""
    assert Kind.TRANSFER not in commands.offered_commands(attempt)
    with pytest.raises(Conflict):
        command(attempt, Kind.TRANSFER, argument="1")
    DialerLine.objects.filter(pk=attempt.line_id).update(channel_id=None)
    with pytest.raises(Conflict):
        command(attempt, Kind.FINISH)
    CallAttempt.objects.filter(pk=attempt.pk).update(state=AttemptState.ENDED)
    with pytest.raises(Conflict):
        command(attempt, Kind.FINISH)
    assert pabx.commands()["done"] == []


def test_a_supervisor_commands_from_the_calls_page_and_an_attendant_does_not(
    client: Client, pabx: Pabx, attempt: CallAttempt
) -> None:
    page = reverse("admin:telephony_callattempt_change", args=[attempt.pk])
    url = reverse("admin:telephony_callattempt_command", args=[attempt.pk])
    client.force_login(make_attendant(attempt.company))
    assert 'name="kind"' not in client.get(page).content.decode()
    assert client.post(url, {"kind": "finish"}).status_code == 403
    client.force_login(make_supervisor(make_company()))
    assert client.post(url, {"kind": "finish"}).status_code == 404
    client.force_login(make_supervisor(attempt.company))
    assert client.get(page).content.decode().count('name="kind"') == 4
    assert client.get(url).status_code == 405
    for form, text in (
        ({"kind": "transfer", "argument": "1125001"}, "O PABX aceitou"),
        ({"kind": "transfer", "argument": "x"}, "Informe o ramal"),
        ({"kind": "delete"}, "Comando desconhecido"),
    ):
        assert text in client.post(url, form, follow=True).content.decode()
    assert [one["slug"] for one in pabx.commands()["done"]] == ["transfere-chamada"]
    assert "1125001" in client.get(page).content.decode()


def make_device(pabx: Pabx, **fields: Any) -> DacDevice:
    line = make_line(make_company(), base_url=pabx.url)
    user = make_attendant(line.company)
    return DacDevice.objects.create(line=line, user=user, **{"device": "2001", "device_password": "4567", **fields})


def test_a_device_follows_its_persons_presence(pabx: Pabx) -> None:
    device = make_device(pabx)
    assert dac.follow_presence(now=timezone.now()) == 1
    assert dac.follow_presence(now=timezone.now()) == 0
    assert pabx.commands()["devices"] == {"2001": "LOGIN"}
    User.objects.filter(pk=device.user_id).update(presence=User.Presence.PAUSED)
    assert dac.follow_presence(now=timezone.now()) == 1
    assert pabx.commands()["devices"] == {"2001": "LOGOUT"}
    device.refresh_from_db()
    assert (device.is_logged_in, device.error_code) == (False, "")


def test_one_that_was_never_logged_in_or_does_not_follow_is_left_alone(pabx: Pabx) -> None:
    device = make_device(pabx)
    User.objects.filter(pk=device.user_id).update(presence=User.Presence.OFFLINE)
    make_device(pabx, follows_presence=False)
    assert dac.follow_presence(now=timezone.now()) == 0
    assert pabx.commands()["devices"] == {}


def test_two_workers_log_a_device_in_once(pabx: Pabx) -> None:
    make_device(pabx)
    done = [0, 0]

    def work(place: int) -> None:
        done[place] = dac.follow_presence(now=timezone.now())

    in_threads(2, work)
    assert (sum(done), len(pabx.commands()["done"])) == (1, 1)


def test_a_failure_waits_longer_each_time_and_an_unsure_one_is_asked_again(pabx: Pabx) -> None:
    device = make_device(pabx)
    now = timezone.now()
    pabx.next_command("silence")
    assert dac.follow_presence(now=now) == 0
    device.refresh_from_db()
    assert (device.is_logged_in, device.error_code, device.failures) == (None, "ambiguous", 1)
    assert device.retry_at is not None
    assert dac.follow_presence(now=now) == 0
    assert dac.follow_presence(now=device.retry_at) == 1
    device.refresh_from_db()
    assert (device.is_logged_in, device.error_code, device.failures) == (True, "", 0)
    pabx.next_command("503")
    with pytest.raises(Ambiguous):
        dac.log_device(device.pk, log_in=False, now=now)


def test_an_attendant_logs_the_own_device_in_and_out_and_sees_no_other(client: Client, pabx: Pabx) -> None:
    device = make_device(pabx, follows_presence=False)
    other = DacDevice.objects.create(
        line=device.line, user=make_attendant(device.line.company), device="2002", follows_presence=False
    )
    client.force_login(device.user)
    page = reverse("admin:telephony_dacdevice_changelist")
    text = client.get(page).content.decode()
    assert "2001" in text
    assert "2002" not in text
    for action, state in (("log_in_selected", "LOGIN"), ("log_out_selected", "LOGOUT")):
        chosen = {"action": action, "_selected_action": [device.pk, other.pk]}
        client.post(page, chosen)
        assert pabx.commands()["devices"] == {"2001": state}
    assert client.get(reverse("admin:telephony_dacdevice_change", args=[other.pk])).status_code == 302
    client.force_login(make_supervisor(device.line.company))
    text = client.get(reverse("admin:telephony_dacdevice_change", args=[device.pk])).content.decode()
    assert "4567" not in text
    assert 'name="device_password"' in text


def test_the_devices_passwords_do_not_follow_a_line_to_another_server(pabx: Pabx) -> None:
    device = make_device(pabx)
    with transaction.atomic():
        assert dac.forget_secrets(device.line_id) == 1
    device.refresh_from_db()
    assert (device.device_password, device.is_logged_in) == ("", None)


def test_a_call_without_an_id_is_commanded_by_nobody() -> None:
    line = make_callcenter()
    call = placed_call(line)
    CallAttempt.objects.filter(pk=call.pk).update(provider_call_id="", state=AttemptState.IN_DOUBT)
    with pytest.raises(Conflict):
        command(call, Kind.FINISH)
