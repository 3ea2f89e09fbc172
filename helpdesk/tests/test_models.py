"""The helpdesk's tables keep the rules that can be said in SQL."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction

from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, Contact
from helpdesk.models.base import new_id
from helpdesk.states import MOVES, OPEN, REOPENINGS, AtendimentoState
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_contact

pytestmark = pytest.mark.django_db


def _stored(number: int = 1, **fields: object) -> Atendimento:
    with transaction.atomic():
        return Atendimento.objects.create(number=number, company_number=number, **fields)


def test_a_new_id_is_a_version_seven_uuid_that_rises_with_time() -> None:
    one, other = new_id(), new_id()
    assert one.version == 7
    assert one.variant == uuid.RFC_4122
    assert one.int >> 80 <= other.int >> 80


def test_the_table_of_moves_is_closed_and_its_end_is_left_by_name_only() -> None:
    states = set(AtendimentoState.values)
    assert set(MOVES) == states
    assert all(targets <= states for targets in MOVES.values())
    assert not MOVES[AtendimentoState.CLOSED]
    assert {AtendimentoState.CLOSED: frozenset(OPEN)} == REOPENINGS


def test_a_contact_has_one_open_atendimento_on_a_channel() -> None:
    company = make_company()
    contact, channel = make_contact(company), make_channel(company)
    _stored(1, company=company, contact=contact, channel=channel)
    with pytest.raises(IntegrityError):
        _stored(2, company=company, contact=contact, channel=channel)
    _stored(3, company=company, contact=contact, channel=channel, state=AtendimentoState.CLOSED)
    _stored(4, company=company, contact=contact, channel=make_channel(company))


@pytest.mark.parametrize("state", [AtendimentoState.AUTOMATIC, AtendimentoState.ASSIGNED, AtendimentoState.IN_SERVICE])
def test_what_is_not_queued_has_a_holder(state: str) -> None:
    with pytest.raises(IntegrityError):
        _stored(company=make_company(), state=state, is_started=state == AtendimentoState.IN_SERVICE)


def test_what_is_queued_has_none() -> None:
    company = make_company()
    with pytest.raises(IntegrityError):
        _stored(company=company, attendant=make_attendant(company))


def test_no_bot_logs_in() -> None:
    bot = make_bot(make_company())
    assert bot.user is None
    assert not bot.is_human


@pytest.mark.parametrize(
    ("fields", "title"),
    [({"name": "Ana"}, "Ana"), ({"email": "a@b.c"}, "a@b.c"), ({"phone_e164": "+551130001000"}, "+551130001000")],
)
def test_a_contact_is_called_by_what_is_known(fields: dict[str, str], title: str) -> None:
    assert str(Contact(**fields)) == title
