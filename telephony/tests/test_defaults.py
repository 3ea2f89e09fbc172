"""The rows that every installation starts with are there after a migrate and after a flush, and are staff's then."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command

from requests_app.states import Outcome
from telephony import selectors
from telephony.models import FieldAlias, RetryRule, StatusAlias
from telephony.providers.directcall.callback import DEFAULT_FIELD_NAMES, DEFAULT_STATUS_WORDS, normalized_word
from telephony.services.defaults import DEFAULT_RETRY_RULES, ensure_defaults
from telephony.states import Meaning


def rules() -> dict[str, tuple[int, int]]:
    """Every rule for everybody: outcome → tries, minutes."""
    found = RetryRule.objects.filter(company=None)
    return {rule.outcome: (rule.max_tries, rule.wait_seconds // 60) for rule in found}


@pytest.mark.django_db
def test_a_migrated_database_has_a_rule_for_each_outcome_that_is_tried_again() -> None:
    assert rules() == {
        "busy": (3, 10),
        "no_answer": (3, 30),
        "machine": (2, 60),
        "congestion": (5, 5),
        "failed": (3, 15),
        "rejected": (2, 60),
        "cancelled": (2, 30),
        "no_news": (1, 0),
    }


@pytest.mark.django_db
def test_a_migrated_database_reads_the_carrier_as_the_code_does_without_tables() -> None:
    assert selectors.field_names() == {concept: list(names) for concept, names in DEFAULT_FIELD_NAMES.items()}
    assert selectors.status_words() == dict(DEFAULT_STATUS_WORDS)


def test_every_default_is_a_value_that_the_tables_know() -> None:
    assert set(DEFAULT_FIELD_NAMES) <= set(FieldAlias.Concept.values)
    assert set(DEFAULT_STATUS_WORDS.values()) <= set(Meaning.values)
    assert {outcome for outcome, _tries, _wait in DEFAULT_RETRY_RULES} <= set(Outcome)
    assert all(word == normalized_word(word) for word in DEFAULT_STATUS_WORDS)


@pytest.mark.django_db
def test_a_table_that_staff_have_a_row_in_is_left_alone() -> None:
    RetryRule.objects.exclude(outcome=Outcome.BUSY).delete()
    StatusAlias.objects.all().delete()
    ensure_defaults(apps)
    assert set(rules()) == {"busy"}
    assert selectors.status_words() == dict(DEFAULT_STATUS_WORDS)


@pytest.mark.django_db(transaction=True)
def test_a_flushed_database_has_the_defaults_again() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert len(rules()) == len(DEFAULT_RETRY_RULES)
    assert FieldAlias.objects.exists()
    assert StatusAlias.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_migrating_back_to_nothing_and_forth_again_works() -> None:
    try:
        call_command("migrate", "telephony", "zero", verbosity=0, stdout=StringIO())
    finally:
        # The tests that follow need their tables.
        call_command("migrate", verbosity=0, stdout=StringIO())
    assert len(rules()) == len(DEFAULT_RETRY_RULES)
