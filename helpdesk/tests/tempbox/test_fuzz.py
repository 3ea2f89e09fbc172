"""Whatever is sent to any method, the answer is an envelope of the contract and an error leaves nothing.

The long run: `python -m bench.tempbox_fuzz`.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from helpdesk.tests.tempbox.api import Program, contract
from helpdesk.tests.tempbox.fuzzing import Fuzz


@pytest.mark.conforms("TB-anything")
@pytest.mark.django_db
def test_six_hundred_random_calls_get_envelopes_and_leave_the_rows_in_order(program: Program) -> None:
    program.client.raise_request_exception = False
    fuzz = Fuzz(program, seed=20240509, now=timezone.now())
    fuzz.run(600)
    assert {name for name, _status in fuzz.answers} >= set(contract())
    assert sum(count for (_name, status), count in fuzz.answers.items() if status == 200) > 150
