"""The running pair and a callback URL; the pair is shared and put back to its start before each test."""

from collections.abc import Iterator

import pytest

from telephony.tests.simulators.receiver import Receiver
from telephony.tests.simulators.running import Simulators


@pytest.fixture(scope="session")
def running_simulators() -> Iterator[Simulators]:
    """The pair, started once; short pauses, so that a whole call takes a tenth of a second."""
    with Simulators(hang_seconds=0.5, event_delay_ms=20) as pair:
        yield pair


@pytest.fixture
def simulators(running_simulators: Simulators) -> Simulators:
    """The pair in the state of its start."""
    running_simulators.wait_until_quiet()
    running_simulators.reset()
    return running_simulators


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A callback URL that answers 200 and remembers."""
    with Receiver() as listening:
        yield listening
