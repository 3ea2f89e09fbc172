"""A helpdesk's day over HTTP at full size: 200 conversations, on SQLite or on PostgreSQL and Redis.

Run:       .venv/bin/python -m bench.helpdesk_day [--conversations 200] [--servers]
Checked:   helpdesk/tests/test_day.py says it: no message lost or doubled, a reader by number that skips none, the
           dashboard equal to a recount, nothing seen across a company's border, while the worker is killed twice.
Needs:     what the tests need.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from callcenter.tests.environment import ROOT


def main() -> int:
    """Run the test of the day at that size; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--servers", action="store_true")
    options = parser.parse_args()
    environment = {
        **os.environ,
        "DAY_CONVERSATIONS": str(options.conversations),
        "TEST_ENGINES": "servers" if options.servers else "embedded",
    }
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "helpdesk/tests/test_day.py"],
        cwd=ROOT,
        env=environment,
        check=False,
    )
    print(f"{options.conversations} conversations: exit code {ran.returncode}, {time.monotonic() - began:.0f} s")
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
