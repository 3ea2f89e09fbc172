"""The move table is closed, and a set of news means one state whatever its order and however often it comes."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.states import Outcome
from telephony.states import (
    AWAITING_NEWS,
    FINAL_NEWS,
    MOVES,
    OCCUPYING,
    OPEN,
    RANK,
    AttemptState,
    Meaning,
    Projection,
    project,
)

S = AttemptState
FINAL = (S.ENDED, S.REFUSED, S.RELEASED)
SENDABLE = S.CLAIMED

LIVES = {
    "answered": (["ringing", "answered", "hangup"], Projection(S.ENDED, Outcome.ANSWERED)),
    "talking": (["ringing", "answered"], Projection(S.ANSWERED, Outcome.ANSWERED)),
    "busy": (["ringing", "busy", "hangup"], Projection(S.ENDED, Outcome.BUSY)),
    "no answer": (["ringing", "no_answer"], Projection(S.ENDED, Outcome.NO_ANSWER)),
    "hung up": (["ringing", "hangup"], Projection(S.ENDED, Outcome.NO_ANSWER)),
    "machine": (["ringing", "answered", "machine", "hangup"], Projection(S.ENDED, Outcome.MACHINE)),
    "fax": (["answered", "fax", "hangup"], Projection(S.ENDED, Outcome.FAX)),
    "invalid": (["invalid"], Projection(S.ENDED, Outcome.INVALID)),
    "a new word": (["ringing", "unknown"], Projection(S.RINGING)),
    "contradiction": (["answered", "busy"], Projection(S.ENDED, Outcome.ANSWERED, conflict=True)),
    "two ends": (["busy", "no_answer", "hangup"], Projection(S.ENDED, Outcome.BUSY, conflict=True)),
}


@pytest.mark.parametrize(("news", "expected"), LIVES.values(), ids=LIVES)
def test_every_order_and_every_duplicate_of_a_life_means_the_same(news: list[str], expected: Projection) -> None:
    orders = set(itertools.permutations([*news, news[0], news[-1]]))
    assert {project(order) for order in orders} == {expected}


@given(st.lists(st.sampled_from(Meaning.values), max_size=20), st.randoms(use_true_random=False))
def test_the_projection_depends_on_the_set_alone(news: list[str], chance: random.Random) -> None:
    shuffled = [*news, *chance.choices(news, k=3)] if news else []
    chance.shuffle(shuffled)
    assert project(shuffled) == project(news) == project(set(news))


@given(st.lists(st.sampled_from(Meaning.values), max_size=12), st.sampled_from(Meaning.values))
def test_more_news_never_brings_a_call_back(news: list[str], more: str) -> None:
    before, after = project(news), project([*news, more])
    if before is None:
        return
    assert after is not None
    assert RANK[after.state] >= RANK[before.state]
    assert after.conflict >= before.conflict


def test_news_that_says_nothing_means_nothing() -> None:
    assert project([]) is None
    assert project(["unknown", "unknown"]) is None


def test_every_meaning_but_the_unknown_moves_a_call() -> None:
    assert {meaning for meaning, _outcome in FINAL_NEWS} == set(Meaning) - {
        Meaning.RINGING,
        Meaning.ANSWERED,
        Meaning.UNKNOWN,
    }
    for meaning in set(Meaning) - {Meaning.UNKNOWN}:
        assert project([meaning]) is not None


def test_the_move_table_is_closed() -> None:
    assert set(MOVES) == set(S)
    assert set().union(*MOVES.values()) <= set(S)
    assert all(not MOVES[state] for state in FINAL)
    assert set(OPEN) == set(S) - set(FINAL)
    assert set(AWAITING_NEWS) == set(RANK) - {S.ENDED} == set(OPEN) - {S.CLAIMED}
    assert set(OCCUPYING) == set(OPEN) - {S.IN_DOUBT}


def test_every_state_is_reached_and_every_open_one_can_end() -> None:
    reachable: set[str] = {S.CLAIMED}
    for _ in S:
        reachable |= {target for state in reachable for target in MOVES[state]}
    assert reachable == set(S)
    for state in OPEN:
        assert set(MOVES[state]) & set(FINAL)


def test_no_path_leads_back_to_a_state_that_may_be_sent() -> None:
    assert all(SENDABLE not in targets for targets in MOVES.values())
    assert [state for state in S if S.SENDING in MOVES[state]] == [S.CLAIMED]


def test_news_moves_forward_only() -> None:
    for state in AWAITING_NEWS:
        for target in MOVES[state] & set(RANK):
            assert RANK[target] >= RANK[state]
        higher = {target for target in RANK if RANK[target] > RANK[state]}
        assert higher <= set(MOVES[state])
