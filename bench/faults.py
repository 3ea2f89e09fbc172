"""Ten thousand calls while everything fails: who rang twice, what was lost, what hangs, how much stays in doubt.

Run:       .venv/bin/python -m bench.faults [--calls 10000] [--kills 200] [--seed 1] [--control]
Real:      PostgreSQL with its disk, Redis, web, beat, eight worker processes, the simulated PABX and carrier.
Faults:    a worker process is killed (SIGKILL) at random so many times, and one at each named crash point; 10 % of the
           PABX's answers are bad (500, cut, silence, without an id, after dialing or not); 10 % of the calls have every
           callback twice, 5 % in reversed order, 5 % before the answer, 2 % with a broken one; the broker is restarted
           twice, the database is crashed once.
Witness:   the simulator's own record, on its disk before it answers.
--control: the same at a small size with a build that dials again when a lease is over: it must find doubles, or the
           experiment could not.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import dialing_rows as rows
from bench.call_requests_api import name_debians_postgresql
from bench.worker import ROOT
from callcenter.tests import engines
from callcenter.tests.environment import program_environment
from callcenter.tests.stack import Stack, wait_until
from telephony.tests.simulators.running import Simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS: Final = 8
CRASH_POINTS: Final = (
    "before_claim_commit", "after_claim_commit", "before_placing", "before_intent_commit", "after_intent_commit",
    "before_first_byte", "before_answer_stored", "before_failure_stored", "before_answers_commit",
    "after_answers_commit",
)  # fmt: skip
# Of a hundred calls: the last two digits of the number script what becomes of it.
FATES: Final = (
    *("13", "14", "15", "16", "17", "18", "13", "14", "16", "17"),
    *["20"] * 10, *["22"] * 5, *["21"] * 5, *["24"] * 2,
    *["01"] * 28, *["02"] * 15, *["03"] * 15, *["04"] * 5, *["25"] * 5,
)  # fmt: skip
SETTINGS: Final = {
    "DIALER_LEASE_SECONDS": "8",
    "DIALER_RING_TIMEOUT_SECONDS": "30",
    "DIALER_TALK_TIMEOUT_SECONDS": "30",
    "DIALER_TICK_SECONDS": "1",
    "DIALER_SWEEP_SECONDS": "2",
    "DIALER_BREAKER_SECONDS": "2",
    "DIGITRO_READ_TIMEOUT_SECONDS": "2",
    "LOG_LEVEL": "CRITICAL",
}
_DUE: Final = """
INSERT INTO requests_app_callrequest (company_id, status, requested_at, name, phone, phone_e164, email, time_from,
    time_to, order_number, product_number, priority, in_flight, hold_reason, attempts, last_outcome, source, due_at)
SELECT %s, 'new', now(), 'Cliente ' || i, '(11) 9' || 1000 + i / 100 || '-' || lpad((i %% 100)::text, 2, '0')
    || f, '+55119' || 1000 + i / 100 || lpad((i %% 100)::text, 2, '0') || f, '', '', '', 0, 0, 1, false, '', 0, '',
    'cscart', now() FROM unnest(%s::int[], %s::text[]) AS given(i, f)
"""


def main() -> None:
    """Run it, print what came of it; the exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="Calls while everything fails.")
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    # Told to end from outside, it ends what it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.control:
        options.calls, options.kills = min(options.calls, 600), min(options.kills, 10)
    with tempfile.TemporaryDirectory(prefix="callcenter-faults-", ignore_cleanup_errors=True) as name:
        experiment = Experiment(Path(name), options)
        sys.exit(experiment.run())


class Experiment:
    """The servers, the programs, and what is done to them."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder, self._options = folder, options
        self._chance = random.Random(options.seed)
        self._mains: list[subprocess.Popen[bytes]] = []
        self._app = "bench.redialing" if options.control else "callcenter"
        self._faults: Counter[str] = Counter()

    def run(self) -> int:
        """1 when a promise was broken (for the control: when none was), else 0."""
        name_debians_postgresql()
        self._database = engines.start_postgres(self._folder, is_durable=True)
        self._broker = engines.start_redis(self._folder)
        self._database_port, self._broker_port = (_port(one.url) for one in (self._database, self._broker))
        try:
            rows.set_up_django(self._database.url, self._folder)
            os.environ.update(REDIS_URL=self._broker.url, REDIS_KEY_PREFIX="faults:")
            with Simulators(
                directory=self._folder, seed=self._options.seed, hang_seconds=4, answer_delay_ms=20, event_delay_ms=50
            ) as simulators:
                return self._dial(simulators)
        finally:
            from django.db import connection  # noqa: PLC0415  Django is set up in this block

            connection.close()
            self._broker.stop()
            self._database.stop()

    def _dial(self, simulators: Simulators) -> int:
        calls = self._options.calls
        self._arrange(simulators, calls)
        began = time.monotonic()
        with Stack(**SETTINGS) as stack, self._workers():
            simulators.register_callback(f"{stack.url}/webhooks/directcall/s3cr3t-of-the-path")
            self._fail_everything()
            wait_until(lambda: _patiently(_is_settled), seconds=600, what="every request is settled or in doubt")
            simulators.wait_until_quiet(timeout_seconds=120)
            wait_until(lambda: _patiently(_all_applied), seconds=120, what="every callback is applied")
        return self._report(simulators, seconds=time.monotonic() - began)

    def _arrange(self, simulators: Simulators, calls: int) -> None:
        from django.db import connection  # noqa: PLC0415

        from callcenter.tests.factories import make_account  # noqa: PLC0415
        from telephony.models import RetryRule  # noqa: PLC0415

        line = rows.make_line(base_url=simulators.digitro_url, attendants=400)
        type(line).objects.update(max_calls_at_once=400, calls_per_second=200.0)
        make_account(line.company, base_url=simulators.directcall_url)
        RetryRule.objects.all().delete()
        fates = [FATES[number % len(FATES)] for number in range(calls)]
        # One after the other, the bad ones would keep the line's breaker open.
        self._chance.shuffle(fates)
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [line.company_id, list(range(calls)), fates])

    @contextmanager
    def _workers(self) -> Iterator[None]:
        beat = self._start("beat", "--schedule", str(self._folder / "beat"))
        self._mains = [self._start_worker() for _ in range(2)]
        try:
            yield
        finally:
            for process in (beat, *self._mains):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", "--pool", "prefork", "--concurrency", str(WORKERS // 2))

    def _start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "celery", "--quiet", "--app", self._app, *words, "--loglevel", "CRITICAL"],
            cwd=ROOT,
            env=program_environment(**{**SETTINGS, **environment}),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _fail_everything(self) -> None:
        points = list(("before_answer_stored",) * 3 if self._options.control else CRASH_POINTS)
        kills = self._options.kills
        restarts = {kills // 3: self._restart_broker, kills // 2: self._crash_database}
        restarts[kills * 2 // 3] = self._restart_broker
        crashing: list[subprocess.Popen[bytes]] = []
        for number in range(kills):
            time.sleep(self._chance.uniform(0.3, 1.5))
            if number % max(1, kills // (len(points) + 1)) == 0 and points:
                crashing.append(self._start("worker", "--pool", "solo", CRASH_AT=points.pop()))
            if number in restarts and not self._options.control:
                restarts[number]()
            self._kill_one()
        self._wait_for_crashes(crashing)

    def _wait_for_crashes(self, crashing: list[subprocess.Popen[bytes]]) -> None:
        for process in crashing:
            try:
                code = process.wait(timeout=30)
                self._faults[f"crash points reached (of {len(CRASH_POINTS)})"] += code == -signal.SIGKILL
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _kill_one(self) -> None:
        """One of the eight, or now and then the process that they are the children of."""
        place = self._chance.randrange(len(self._mains))
        main = self._mains[place]
        children = Path(f"/proc/{main.pid}/task/{main.pid}/children")
        pids = children.read_text(encoding="ascii").split() if children.exists() else []
        if not pids or self._chance.random() < 0.05:
            os.killpg(main.pid, signal.SIGKILL)
            main.wait()
            self._mains[place] = self._start_worker()
        else:
            os.kill(int(self._chance.choice(pids)), signal.SIGKILL)
        self._faults["worker processes killed at random"] += 1

    def _restart_broker(self) -> None:
        self._broker.stop()
        self._broker = engines.start_redis(self._folder, port=self._broker_port)
        self._faults["restarts of the broker"] += 1

    def _crash_database(self) -> None:
        self._database.process.send_signal(signal.SIGQUIT)
        self._database.process.wait()
        self._database = engines.run_postgres(self._folder, port=self._database_port, is_durable=True)
        self._faults["crashes of the database"] += 1

    def _report(self, simulators: Simulators, *, seconds: float) -> int:
        from requests_app.models import CallRequest  # noqa: PLC0415
        from telephony.models import CallAttempt, ProviderEvent  # noqa: PLC0415
        from telephony.services.promises import broken  # noqa: PLC0415
        from telephony.states import Promise  # noqa: PLC0415

        rang = Counter(call["dados"] for call in simulators.recorded_calls())
        attempts = {attempt.token.hex: attempt.state for attempt in CallAttempt.objects.only("token", "state")}
        silent = [token for token in rang if attempts.get(token) in {None, "claimed", "released", "refused"}]
        acknowledged = sum(1 for delivery in simulators.deliveries() if delivery["http_status"] == 200)
        doubts = sum(1 for state in attempts.values() if state == "in_doubt")
        since = datetime.fromtimestamp(0, UTC)
        found = {promise.value: len(broken(promise, since=since, now=datetime.now(UTC))) for promise in Promise}
        wrong = {
            "rang twice for one attempt": sum(1 for times in rang.values() if times > 1),
            "rang, and is taken for not made": len(silent),
            "requests lost": self._options.calls - CallRequest.objects.count(),
            "acknowledged callbacks that are not stored": acknowledged - ProviderEvent.objects.count(),
            "broken promises of the nightly check": sum(found.values()),
        }
        states = ", ".join(f"{state} {number}" for state, number in sorted(Counter(attempts.values()).items()))
        print(f"{self._options.calls} calls, seed {self._options.seed}, {seconds:.0f} s, {os.cpu_count()} cores,"
              f" load {os.getloadavg()[0]:.1f}")  # fmt: skip
        print(rows.lines_of([*self._faults.items(), ("phones that rang", len(rang)), ("attempts", states)]))
        print(rows.lines_of([("acknowledged callbacks", acknowledged), *wrong.items()]))
        print(rows.lines_of([("left in doubt", f"{doubts} ({doubts / max(1, len(rang)):.1%} of the calls)")]))
        if any(found.values()):
            print({promise: number for promise, number in found.items() if number})
        is_broken = any(wrong.values())
        if self._options.control:
            print("The control found doubles." if wrong["rang twice for one attempt"] else "THE CONTROL FOUND NOTHING.")
            return 0 if wrong["rang twice for one attempt"] else 1
        return int(is_broken)


def _is_settled() -> bool:
    from requests_app.models import CallRequest  # noqa: PLC0415
    from telephony.models import CallAttempt  # noqa: PLC0415
    from telephony.states import OPEN, AttemptState  # noqa: PLC0415

    moving = CallAttempt.objects.filter(state__in=OPEN).exclude(state=AttemptState.IN_DOUBT)
    return not moving.exists() and not CallRequest.objects.filter(due_at__isnull=False).exists()


def _all_applied() -> bool:
    from telephony.models import ProviderEvent  # noqa: PLC0415

    return not ProviderEvent.objects.filter(state=ProviderEvent.State.RECEIVED).exists()


def _patiently(condition: Any) -> bool:
    """The condition, false while the database is away."""
    from django.db import Error, connection  # noqa: PLC0415

    try:
        return bool(condition())
    except Error:
        connection.close()
        return False


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1].partition("/")[0])


if __name__ == "__main__":
    main()
