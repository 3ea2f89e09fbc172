"""What a visitor's page may do: open, write, read on, and see nothing but its own conversation."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from callcenter.accounts.roles import ATTENDANT, SUPERVISOR
from callcenter.tests.factories import make_company, make_user
from callcenter.tests.limits import use_limits
from helpdesk.models import Atendimento, Attachment, Contact, Message
from helpdesk.services.closing import close
from helpdesk.services.opening import open_atendimento
from helpdesk.services.writing import write_note, write_reply
from helpdesk.states import Adapter, ClosedWith
from helpdesk.tests.factories import make_attendant, make_channel
from helpdesk.tests.scenes import asked

if TYPE_CHECKING:
    from pathlib import Path

    from callcenter.accounts.models import Company
    from helpdesk.models import Channel

pytestmark = pytest.mark.django_db

SHOP = "https://loja.example"


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def channel(company: Company) -> Channel:
    return make_channel(company, adapter=Adapter.SITE_CHAT, settings={"origins": [SHOP]})


def post(path: str, body: Any, **headers: str) -> Any:
    return Client().post(path, body, content_type="application/json", headers=headers)


def open_chat(channel: Channel, text: str = "Oi", **headers: str) -> Any:
    path = f"/chat/canais/{channel.hash}/conversas"
    return post(path, {"id": str(uuid.uuid4()), "mensagem": text}, **headers).json()


def read(key: str, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Client().get(f"/chat/{key}/mensagens?depois={after}").json()["mensagens"]
    return found


def test_the_same_first_message_sent_twice_opens_one_conversation(channel: Channel) -> None:
    body = {"id": str(uuid.uuid4()), "mensagem": "Oi", "nome": "Ana"}
    first, second = (post(f"/chat/canais/{channel.hash}/conversas", body) for _ in range(2))
    assert first.json() == second.json()
    assert Message.objects.get().text == "Oi"
    assert Contact.objects.get().name == "Ana"


def test_a_message_that_is_sent_again_is_stored_once(channel: Channel) -> None:
    key, body = open_chat(channel)["hash"], {"id": str(uuid.uuid4()), "mensagem": "De novo"}
    assert len({post(f"/chat/{key}/mensagens", body).json()["numero"] for _ in range(3)}) == 1
    assert [(m["texto"], m["id"] == body["id"]) for m in read(key)] == [("Oi", False), ("De novo", True)]


def test_a_visitor_reads_on_by_number_and_never_sees_a_note(channel: Channel) -> None:
    opened, person = open_chat(channel), make_attendant(channel.company, "Bia Lima")
    atendimento_id, scope = Message.objects.get().atendimento_id, [channel.company_id]
    write_note(atendimento_id, person, scope=scope, text="cliente difícil", now=timezone.now())
    write_reply(atendimento_id, person, scope=scope, text="Olá!", now=timezone.now())
    (answer,) = read(opened["hash"], opened["numero"])
    assert (answer["de"], answer["autor"], answer["texto"]) == ("atendente", "Bia Lima", "Olá!")
    assert "difícil" not in str(read(opened["hash"]))


def test_one_visitor_knows_nothing_of_another(channel: Channel) -> None:
    mine, body = open_chat(channel, "Sou a primeira"), {"id": str(uuid.uuid4()), "mensagem": "Sou o segundo"}
    other = post(f"/chat/canais/{channel.hash}/conversas", body).json()
    assert [m["texto"] for m in read(mine["hash"])] == ["Sou a primeira"]
    # Their id is no way in, nor is the atendimento's internal one.
    assert post(f"/chat/{mine['hash']}/mensagens", body).status_code == 400
    internal = Message.objects.get(number=other["numero"]).atendimento_id
    assert Client().get(f"/chat/{internal}/mensagens").status_code == 404


def test_conversations_of_other_media_are_not_the_chats(company: Company) -> None:
    foreign = asked(company, channel=make_channel(company))
    assert Client().get(f"/chat/{foreign.hash}/mensagens").status_code == 404


def test_who_writes_after_the_end_goes_on_in_a_new_conversation(channel: Channel) -> None:
    key = open_chat(channel)["hash"]
    close(uuid.UUID(key), scope=[channel.company_id], now=timezone.now(), with_=ClosedWith.PERSON)
    assert Client().get(f"/chat/{key}/mensagens").json()["estado"]["aberto"] is False
    after = post(f"/chat/{key}/mensagens", {"id": str(uuid.uuid4()), "mensagem": "Voltei"}).json()
    assert after["hash"] != key
    assert [m["texto"] for m in read(after["hash"])] == ["Voltei"]


def test_only_the_channels_sites_may_read(channel: Channel) -> None:
    key = open_chat(channel)["hash"]
    path = f"/chat/{key}/mensagens"
    allowed = Client().get(path, headers={"origin": SHOP})
    assert (allowed.status_code, allowed["Access-Control-Allow-Origin"]) == (200, SHOP)
    refused = Client().get(path, headers={"origin": "https://evil.example"})
    assert (refused.status_code, refused.has_header("Access-Control-Allow-Origin")) == (403, False)
    assert Client().options(path, headers={"origin": SHOP})["Access-Control-Allow-Headers"] == "Content-Type"
    assert Client().options(path, headers={"origin": "https://evil.example"}).get("Access-Control-Allow-Origin") is None
    assert Client().get(path, headers={"origin": "http://testserver"}).status_code == 200


@pytest.mark.parametrize("body", ["{", "[]", {"id": "1", "mensagem": "x"}, {"id": str(uuid.uuid4()), "mensagem": " "}])
def test_nonsense_is_refused_and_nothing_is_stored(channel: Channel, body: Any) -> None:
    assert post(f"/chat/canais/{channel.hash}/conversas", body).status_code == 400
    assert not Message.objects.exists()
    assert not Contact.objects.exists()


def test_too_many_messages_are_refused_with_a_time(channel: Channel, settings: Any, tmp_path: Path) -> None:
    use_limits(settings, tmp_path, CHAT_MESSAGES_PER_MINUTE_PER_CONVERSATION=2)
    key = open_chat(channel)["hash"]
    answers = [post(f"/chat/{key}/mensagens", {"id": str(uuid.uuid4()), "mensagem": "x"}) for _ in range(5)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1
    assert Message.objects.count() <= 5


class TestFiles:
    @pytest.fixture(autouse=True)
    def media(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path / "media"

    def upload(self, key: str, name: str = "nota.pdf", content: bytes = b"%PDF") -> Any:
        sent = {"id": str(uuid.uuid4()), "arquivo": SimpleUploadedFile(name, content, "text/html")}
        return Client().post(f"/chat/{key}/arquivos", sent)

    def test_a_file_comes_back_as_a_download_that_can_do_nothing(self, channel: Channel) -> None:
        key = open_chat(channel)["hash"]
        assert self.upload(key, "../../nota\u202e fiscal.pdf").status_code == 200
        (file,) = read(key)[-1]["anexos"]
        assert file["nome"] == "nota fiscal.pdf"
        answer = Client().get(f"/chat/{key}/arquivos/{file['hash']}")
        assert answer.getvalue() == b"%PDF"
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["Content-Type"] == "application/octet-stream"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"

    def test_another_visitor_and_a_stranger_do_not_get_it(self, channel: Channel) -> None:
        mine, other = open_chat(channel)["hash"], open_chat(channel)["hash"]
        self.upload(mine)
        (file,) = read(mine)[-1]["anexos"]
        assert Client().get(f"/chat/{other}/arquivos/{file['hash']}").status_code == 404
        assert Client().get(f"/chat/anexos/{file['hash']}").status_code == 302

    def test_staff_get_it_but_a_colleague_none_of_a_private_conversation(self, channel: Channel) -> None:
        key = open_chat(channel)["hash"]
        self.upload(key)
        (file,) = read(key)[-1]["anexos"]
        attendant, supervisor = Client(), Client()
        attendant.force_login(make_user(channel.company, role=ATTENDANT))
        supervisor.force_login(make_user(channel.company, role=SUPERVISOR))
        for is_private, status in ((False, 200), (True, 404)):
            Atendimento.objects.filter(hash=key).update(is_private=is_private)
            for who, expected in ((attendant, status), (supervisor, 200)):
                answer = who.get(f"/chat/anexos/{file['hash']}")
                answer.getvalue()
                assert answer.status_code == expected

    @pytest.mark.parametrize(("name", "content"), [("x.exe", b"MZ"), ("x.svg", b"<svg/>"), ("x", b"x"), ("x.pdf", b"")])
    def test_what_may_not_come_leaves_nothing(
        self, channel: Channel, tmp_path: Path, name: str, content: bytes
    ) -> None:
        assert self.upload(open_chat(channel)["hash"], name, content).status_code == 400
        assert not Attachment.objects.exists()
        assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []

    def test_a_file_that_is_too_large_is_refused(self, channel: Channel, settings: Any) -> None:
        settings.ATTACHMENT_MAX_BYTES = 10
        assert self.upload(open_chat(channel)["hash"], content=b"x" * 11).status_code == 400


def test_a_visitor_is_led_to_the_conversation_that_the_company_began_after_the_end(channel: Channel) -> None:
    key = open_chat(channel)["hash"]
    other = open_chat(channel)["hash"]
    first = Atendimento.objects.get(hash=key)
    close(first.pk, scope=None, now=timezone.now())

    def state(of: str) -> dict[str, Any]:
        found: dict[str, Any] = Client().get(f"/chat/{of}/mensagens").json()["estado"]
        return found

    assert state(key) == {"aberto": False, "atendente": ""}
    assert first.contact is not None
    following, _is_new = open_atendimento(first.contact, channel, now=timezone.now(), origin=first)
    person = make_attendant(channel.company, "Bia Lima")
    write_reply(following.pk, person, scope=None, text="Seu pedido chegou.", now=timezone.now())
    assert state(key)["seguinte"] == str(following.hash)
    assert [message["texto"] for message in read(state(key)["seguinte"])] == ["Seu pedido chegou."]
    assert "seguinte" not in {**state(str(following.hash)), **state(other)}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("  Ana\n Lima ", "Ana Lima"), ("A\0na\ud800", "Ana"), ("\ud800", ""), (7, ""), ("x" * 200, "x" * 160)],
)
def test_a_name_is_kept_as_far_as_it_can_be(channel: Channel, name: Any, kept: str) -> None:
    body = json.dumps({"id": str(uuid.uuid4()), "mensagem": "Oi", "nome": name})
    assert post(f"/chat/canais/{channel.hash}/conversas", body).status_code == 200
    assert Contact.objects.get().name == kept


def test_a_body_that_is_too_large_is_refused_in_json(channel: Channel, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    refused = post(f"/chat/canais/{channel.hash}/conversas", {"id": str(uuid.uuid4()), "mensagem": "x" * 2000})
    assert (refused.status_code, list(refused.json())) == (413, ["erro"])
