"""Random calls of all 32 TempBox methods: only envelopes of the contract, nothing half-written.

Run:       .venv/bin/python -m bench.tempbox_fuzz [--calls 20000] [--seed 1] [--postgresql]
Checked:   after each call its status, envelope, fields and types, and after an error that no table grew; at the end
           that the rows agree (unread, last messages, waiting, protocols without gaps). The first broken rule ends it
           with the call that broke it. The same seed makes the same calls, but for the ids of rows.
Needs:     a SQLite file in a folder of its own, or a PostgreSQL server that it starts there; both are removed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from callcenter.tests import engines
from callcenter.tests.environment import DUMMY_SECRETS


def main() -> None:
    """Make the calls and print how many answers of each status there were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callcenter-fuzz-", ignore_cleanup_errors=True) as folder:
        limits = {"API_CALLS_PER_MINUTE_PER_KEY": "0", "API_CALLS_PER_MINUTE_PER_ADDRESS": "0"}
        os.environ.update(
            DUMMY_SECRETS, **limits, ENV_FILE="", DATA_DIR=folder, LOG_LEVEL="CRITICAL", ALLOWED_HOSTS="testserver",
            DJANGO_SETTINGS_MODULE="callcenter.settings",
        )  # fmt: skip
        if not options.postgresql:
            _run(options.calls, options.seed)
            return
        server = engines.start_postgres(Path(folder))
        try:
            os.environ["DATABASE_URL"] = server.url
            _run(options.calls, options.seed)
        finally:
            server.stop()


def _run(calls: int, seed: int) -> None:
    # The settings are read from the environment that main() has just made.
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from helpdesk.tests.tempbox.api import Program  # noqa: PLC0415
    from helpdesk.tests.tempbox.fuzzing import Fuzz  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    program = Program()
    program.client.raise_request_exception = False
    fuzz = Fuzz(program, seed=seed, now=timezone.now())
    began = time.monotonic()
    fuzz.run(calls)
    statuses: Counter[int] = Counter()
    for (_name, status), count in fuzz.answers.items():
        statuses[status] += count
    told = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    print(f"{calls:,} calls of seed {seed} in {time.monotonic() - began:.0f} s: {told}. Every rule held.")


if __name__ == "__main__":
    main()
