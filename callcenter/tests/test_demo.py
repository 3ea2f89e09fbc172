"""The demo data: made once, true to the real services, and never due all at once."""

from __future__ import annotations

import io
import json
import re
import shlex
import stat
import subprocess
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings
from django.utils import timezone

from callcenter.accounts.models import ApiKey, Company, User
from callcenter.accounts.selectors import key_owner
from callcenter.demo.setting import ATTENDANT_EMAIL, AURORA, CASA_VERDE
from callcenter.lib.phones import brazilian_e164
from callcenter.tests.factories import make_user
from helpdesk.data import Bell
from helpdesk.flows import problems
from helpdesk.models import Atendimento, BotFlow, Contact, Message, ScheduledMessage, Tag
from helpdesk.selectors.flows import flow_of
from helpdesk.services.delivery import attempt_delivery, claim_due_messages, send_again
from helpdesk.states import Delivery
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import OPEN, Hold, Status
from telephony.models import (
    AnsweredCall,
    CallAttempt,
    CallbackRegistration,
    DialerLine,
    DirectcallAccount,
    ProviderEvent,
)
from telephony.services import channels
from telephony.services.policy import allowance
from telephony.states import AttemptState, LineHold

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

BASE_URL = "http://127.0.0.1:8123"

# Argon2 is slow by intent; the demo's passwords need not be.
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def run(*options: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    call_command(
        "demo_data",
        "--base-url", BASE_URL,
        "--digitro-url", "http://127.0.0.1:9123",
        "--directcall-url", "http://127.0.0.1:9223",
        *options,
        stdout=output,
    )  # fmt: skip
    return output.getvalue()


class TestTheDemo(TestCase):
    """One demo for all of these tests; what a test changes is rolled back."""

    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        """Give the two files a folder of their own."""
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.enterClassContext(override_settings(DATA_DIR=cls.folder, PASSWORD_HASHERS=QUICK_HASHERS))
        super().setUpClass()

    @classmethod
    def setUpTestData(cls) -> None:
        """The first start."""
        run()

    def test_about_forty_requests_in_every_state(self) -> None:
        assert 40 <= CallRequest.objects.count() <= 45
        assert set(CallRequest.objects.values_list("status", flat=True)) == set(Status.values)
        held = set(CallRequest.objects.values_list("hold_reason", flat=True))
        untold = {Hold.IN_FLIGHT, Hold.AWAITING_DISPOSITION, Hold.POSTPONED}
        # What the rules say depends on the hour of the day.
        untold |= {Hold.CALLING_HOURS, Hold.DAILY_CAP, Hold.DO_NOT_CALL, Hold.RULES}
        assert held == set(Hold.values) - untold

    def test_three_requests_and_a_callback_are_due_at_once_and_may_be_dialed(self) -> None:
        now = timezone.now() + timedelta(seconds=1)
        due = CallRequest.objects.due(now)
        assert sorted(request.phone_e164[-2:] for request in due) == ["01", "01", "02", "03"]
        assert {request.company.name for request in due} == {AURORA.name, CASA_VERDE.name}
        for line in DialerLine.objects.all():
            assert allowance(line, now=now).hold == LineHold.NO_CHANNEL
            lease = channels.take(line.pk, holder="a test", now=now)
            assert lease is not None
            channels.note_open(lease, 4711, now=now)
            assert allowance(DialerLine.objects.get(pk=line.pk), now=now).calls > 0

    def test_every_open_request_has_a_time_or_a_reason_and_no_call_in_flight_but_the_doubtful_one(self) -> None:
        for request in CallRequest.objects.filter(status__in=OPEN):
            assert request.due_at is not None or request.hold_reason, request
        assert [request.hold_reason for request in CallRequest.objects.filter(in_flight=True)] == [Hold.IN_DOUBT]
        states = set(CallAttempt.objects.values_list("state", flat=True))
        assert states == {AttemptState.ENDED, AttemptState.IN_DOUBT, AttemptState.REFUSED}

    def test_the_past_is_in_order_and_past(self) -> None:
        now = timezone.now()
        for request in CallRequest.objects.prefetch_related("ledger", "call_attempts__entries"):
            times = [entry.at for entry in request.ledger.order_by("id")]
            assert times == sorted(times), request
            assert times[-1] <= now, request
            assert len(request.call_attempts.exclude(state=AttemptState.REFUSED)) == request.attempts, request
            for attempt in request.call_attempts.all():
                moves = [entry.at for entry in attempt.entries.all()]
                assert moves == sorted(moves), attempt
                assert moves[-1] <= now, attempt
        assert LedgerEntry.objects.filter(at__gt=now).count() == 0

    def test_the_carriers_news_fits_the_attempts_but_for_two_strays(self) -> None:
        states = list(ProviderEvent.objects.exclude(state="applied").order_by("id").values_list("state", flat=True))
        assert states == ["unmatched", "unreadable"]
        answered = CallAttempt.objects.filter(outcome="answered")
        assert answered.count() >= 9
        assert not answered.filter(answered_at=None).exists()
        assert not CallAttempt.objects.filter(has_conflict=True).exists()

    def test_a_second_start_changes_only_the_addresses(self) -> None:
        company = Company.objects.get(name=AURORA.name)
        CallRequest.objects.filter(company=company).first().delete()  # type: ignore[union-attr]
        before = (CallRequest.objects.count(), User.objects.count(), ApiKey.objects.count())
        company.name = "Aurora Móveis"
        company.save()
        call_command(
            "demo_data",
            "--quiet",
            "--digitro-url",
            "http://127.0.0.1:9199",
            "--directcall-url",
            "http://127.0.0.1:9299",
        )
        assert (CallRequest.objects.count(), User.objects.count(), ApiKey.objects.count()) == before
        assert set(DialerLine.objects.values_list("base_url", flat=True)) == {"http://127.0.0.1:9199"}
        assert set(DirectcallAccount.objects.values_list("base_url", flat=True)) == {"http://127.0.0.1:9299"}

    def test_a_line_that_was_aimed_at_a_real_pabx_stays_there(self) -> None:
        DialerLine.objects.filter(company__name=AURORA.name).update(base_url="https://pabx.example.com")
        run()
        assert set(DialerLine.objects.values_list("base_url", flat=True)) == {
            "https://pabx.example.com", "http://127.0.0.1:9123"
        }  # fmt: skip

    def test_a_later_start_greets_with_the_same_logins(self) -> None:
        assert run() == run()

    def test_the_greeting_opens_the_doors_it_names(self) -> None:
        text = run()
        logins = dict(re.findall(r"^  (\S+@\S+) +(\S+) +\w+$", text, flags=re.MULTILINE))
        assert len(logins) == 4
        for email, password in logins.items():
            assert authenticate(username=email, password=password) is not None
        (login,) = set(re.findall(r"-u '([^']+)'", text))
        email, key = login.split(":")
        owner = key_owner(email, key)
        assert owner is not None
        assert owner.user.has_perms(["requests_app.add_callrequest", "requests_app.delete_callrequest"])
        assert owner.user.company_scope == frozenset({Company.objects.get(name=AURORA.name).pk})
        assert not owner.user.is_staff

    def test_the_printed_lines_are_commands_with_readable_bodies(self) -> None:
        bodies: list[dict[str, Any]] = []
        for line in run().splitlines():
            if line.startswith("curl -u"):
                words = shlex.split(line)
                assert words[2].startswith(AURORA.api_email)
                assert any(word.startswith(BASE_URL) for word in words)
                if "-d" in words:
                    bodies.append(json.loads(words[words.index("-d") + 1]))
        assert brazilian_e164(bodies[0]["phone"]).endswith("01")
        assert bodies[1] == {"phone": "+7(999)111-22-33", "name": "Api"}
        assert bodies[2]["assignee_id"] == User.objects.get(email=ATTENDANT_EMAIL).pk == 42
        assert brazilian_e164(bodies[3]["phone"]).endswith("02")
        phones = set(CallRequest.objects.values_list("phone_e164", flat=True))
        assert phones.isdisjoint(brazilian_e164(body["phone"]) for body in (bodies[0], bodies[3]))

    def test_the_printed_lines_for_conversations_work(self) -> None:
        writing, listing = [shlex.split(line) for line in run().splitlines() if line.startswith("curl -X")]
        sent = {}
        for words in (writing, listing):
            fields = dict(word.split("=", 1) for word in words if "=" in word)
            path = words[3].removeprefix(BASE_URL)
            form = "application/x-www-form-urlencoded"
            response = self.client.post(path, urlencode(fields), content_type=form)
            assert response.status_code == 200
            sent = response.json()
        assert sent["Data"][0]["ReferenteCanalFormaContato"] == "visitante-1"
        # The text with the protocol came after it.
        assert Message.objects.filter(is_inbound=True).latest("number").text == "Olá"
        assert "protocolo" in sent["Data"][0]["Mensagem"]

    def test_both_files_are_for_their_owner_only(self) -> None:
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()} == {
            "demo.env": 0o600, "demo.json": 0o600
        }  # fmt: skip

    def test_a_shell_reads_one_callback_per_account_from_the_file(self) -> None:
        run()
        script = f'. "{self.folder}/demo.env"; for word in $DIRECTCALL_SIM_CALLBACK; do echo "$word"; done'
        words = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()
        assert sorted(words) == sorted(
            f"{each.account.pin}={BASE_URL}/webhooks/directcall/{each.secret}"
            for each in CallbackRegistration.objects.select_related("account")
        )
        pins = set(DirectcallAccount.objects.values_list("company", "pin"))
        assert pins == set(DialerLine.objects.values_list("company", "originator"))

    def test_conversations_stand_wherever_they_can_stand(self) -> None:
        states = Counter(Atendimento.objects.values_list("company__name", "state"))
        assert states == {
            (AURORA.name, "closed"): 3,
            (AURORA.name, "in_service"): 3,
            (AURORA.name, "queued"): 2,
            (AURORA.name, "automatic"): 1,
            (CASA_VERDE.name, "automatic"): 1,
        }
        assert Contact.objects.filter(name="Lúcia Ramos", email="lucia@exemplo.example").count() == 1
        answer = Message.objects.get(company__name=CASA_VERDE.name, is_inbound=False)
        assert answer.sources[0]["kind"] == "article"
        pending = ScheduledMessage.objects.filter(state="pending")
        assert pending.count() == 2
        assert not pending.filter(due_at__lte=timezone.now()).exists()
        for flow in BotFlow.objects.all():
            assert problems(flow_of(flow)) == []

    def test_calls_have_their_conversations_and_a_dropped_one_is_called_back(self) -> None:
        dropped = AnsweredCall.objects.exclude(drop="").get()
        assert dropped.callback_request_id is not None
        assert dropped.atendimento_id is not None
        callback = CallRequest.objects.get(pk=dropped.callback_request_id)
        assert callback.phone_e164 == dropped.attempt.phone_e164
        talk = Atendimento.objects.get(pk=dropped.atendimento_id)
        assert talk.protocol in (callback.notes or "")
        assert not AnsweredCall.objects.exclude(due_at=None).exists()
        assert AnsweredCall.objects.filter(drop="", talked_seconds__gt=100).count() == 3
        assert Message.objects.filter(is_automatic=True, text__contains="protocolo").count() >= 5
        assert Tag.objects.filter(atendimentos__isnull=False).distinct().count() == 4

    def test_a_message_that_a_mail_server_refused_can_be_sent_again(self) -> None:
        failed = Message.objects.get(delivery=Delivery.FAILED)
        assert failed.atendimento.transfers.filter(by__isnull=False).count() == 2
        assert Bell.DELIVER in send_again(failed.pk, scope=None, now=timezone.now()).bells
        # The text with the protocol leaves before it.
        while claims := claim_due_messages(now=timezone.now(), limit=10, held={}):
            for claim in claims:
                attempt_delivery(claim)
        failed.refresh_from_db()
        assert failed.delivery == Delivery.SENT

    def test_a_lost_file_of_keys_is_said_plainly(self) -> None:
        kept = (self.folder / "demo.json").rename(self.folder / "kept")
        text = run()
        kept.rename(self.folder / "demo.json")
        assert "make new ones in the admin" in text
        assert "curl" not in text


@pytest.fixture
def fresh(db: None, settings: Settings, tmp_path: Path) -> None:
    """An installation without the demo."""
    settings.DATA_DIR = tmp_path
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.mark.usefixtures("fresh")
def test_the_next_user_gets_an_id_of_their_own() -> None:
    run()
    assert make_user().pk > 42


@pytest.mark.usefixtures("fresh")
def test_an_attendant_gets_another_id_where_42_is_taken() -> None:
    User.objects.create_user("quarenta-e-dois@example.com", id=42)
    text = run()
    attendant = User.objects.get(email=ATTENDANT_EMAIL)
    assert attendant.pk != 42
    assert f'"assignee_id": {attendant.pk} ' in text


@pytest.mark.usefixtures("fresh")
def test_greeting_only_changes_nothing_and_needs_the_demo() -> None:
    with pytest.raises(CommandError):
        run("--greeting-only")
    assert not Company.objects.exists()
    text = run()
    assert run("--greeting-only") == text
    assert run("--quiet") == ""
