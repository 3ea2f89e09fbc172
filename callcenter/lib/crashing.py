"""Named points at which a process can be told to die, so that each one's crash is tried and not only random ones."""

from __future__ import annotations

import os
import signal
from typing import Final

# Only from the process environment, and never set but by an experiment.
_CRASH_AT: Final = os.environ.get("CRASH_AT", "")


def crash_point(name: str) -> None:
    """Nothing; where the experiment asks for this point, the process is gone as by a power cut."""
    if name == _CRASH_AT:
        os.kill(os.getpid(), signal.SIGKILL)
