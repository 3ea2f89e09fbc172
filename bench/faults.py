"""Ten thousand calls while everything fails: who rang twice, what was lost, what hangs, how much stays in doubt.

Run:       .venv/bin/python -m bench.faults [--calls 10000] [--kills 200] [--seed 1] [--control]
Real:      PostgreSQL with its disk, Redis, web, beat, eight worker processes, the simulated PABX and carrier; eight
           lines, so that all of the workers place calls at the same time.
Faults:    a whole worker process is killed (SIGKILL) so many times, at instants drawn evenly over the calls, and one
           more at each crash point that the code names; of the calls' answers 10 % are bad (500, cut, silence, without
           an id, after dialing or not); 10 % of the calls have every callback twice, 5 % in reversed order, 5 % before
           the answer, 2 % with a broken one, and 15 % have none at all; the broker is restarted twice, the database is
           crashed once.
Witness:   the simulators' own records: of the phones that rang, on its disk before it answers, and of the callbacks
           that were acknowledged.
--control: the same at a small size with a build that dials again when a lease is over: it must find doubles, or the
           experiment could not.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import dialing_rows as rows
from bench.call_requests_api import name_debians_postgresql
from bench.fault_crew import SETTINGS, Crew
from bench.faults_report import Witnesses, doubles, is_broken, table
from callcenter.tests import engines
from callcenter.tests.crash_points import crash_points
from callcenter.tests.environment import program_environment
from callcenter.tests.nursery import Nursery
from callcenter.tests.stack import Stack
from telephony.tests.simulators.running import Simulators

if TYPE_CHECKING:
    from collections.abc import Callable

LINES: Final = 8
CALLS_PER_SECOND: Final = 200.0
# Of a hundred calls: the last two digits of the number script what becomes of it.
FATES: Final = (
    *("13", "14", "15", "16", "17", "18", "13", "14", "16", "17"),
    *["20"] * 10, *["22"] * 5, *["21"] * 5, *["24"] * 2, *["23"] * 15,
    *["01"] * 13, *["02"] * 15, *["03"] * 15, *["04"] * 5, *["25"] * 5,
)  # fmt: skip
# The kills are spread over so many of the calls; what is left shows that everything comes to rest after them.
KILLED_UNTIL: Final = 0.9
# While nothing rings (the broker is away, leases run out) a kill follows the one before after so long.
LONGEST_PEACE_SECONDS: Final = 4.0
SETTLED_WITHIN_SECONDS: Final = 420.0
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
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="where the workers' errors go")
    options = parser.parse_args()
    # Told to end from outside, it ends what it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.control:
        options.calls, options.kills = min(options.calls, 600), min(options.kills, 20)
    with tempfile.TemporaryDirectory(prefix="callcenter-faults-", ignore_cleanup_errors=True) as name:
        sys.exit(Experiment(Path(name), options).run())


class Experiment:
    """The servers, the programs, and what is done to them."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder, self._options = folder, options
        self._chance = random.Random(options.seed)
        self._app = "bench.redialing" if options.control else "callcenter"
        self._restarts: Counter[str] = Counter()

    def run(self) -> int:
        """1 when a promise was broken (for the control: when none was), else 0."""
        name_debians_postgresql()
        self._database = engines.start_postgres(self._folder, is_durable=True)
        try:
            self._broker = engines.start_redis(self._folder)
            try:
                return self._on_servers()
            finally:
                self._broker.stop()
        finally:
            self._database.stop()

    def _on_servers(self) -> int:
        rows.set_up_django(self._database.url, self._folder)
        os.environ.update(REDIS_URL=self._broker.url, REDIS_KEY_PREFIX="faults:")
        from django.db import connection  # noqa: PLC0415  Django is set up by now

        try:
            with Simulators(
                directory=self._folder, seed=self._options.seed, hang_seconds=4, answer_delay_ms=150, event_delay_ms=50
            ) as simulators:
                return self._dial(simulators)
        finally:
            connection.close()

    def _dial(self, simulators: Simulators) -> int:
        self._arrange(simulators)
        with (
            Stack(**SETTINGS) as stack,
            Nursery(program_environment(**SETTINGS), app=self._app, log=self._options.log) as nursery,
        ):
            crew = Crew(nursery, chance=self._chance, points=crash_points())
            simulators.register_callback(f"{stack.url}/webhooks/directcall/s3cr3t-of-the-path")
            began = time.monotonic()
            crew.start()
            self._fail_everything(crew, simulators)
            failing = time.monotonic() - began
            # What never settles is counted below; of the control nothing is asked but that it finds doubles.
            patience = SETTLED_WITHIN_SECONDS / (6 if self._options.control else 1)
            _wait(_is_settled, seconds=patience, meanwhile=crew.look)
            simulators.wait_until_quiet(timeout_seconds=120)
            _wait(_all_applied, seconds=120, meanwhile=crew.look)
            seconds = time.monotonic() - began
        print(
            f"{self._options.calls} calls, seed {self._options.seed}, {seconds:.0f} s ({failing:.0f} of them under"
            f" kills), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, app {self._app}"
        )
        found = Witnesses.of(simulators, calls=self._options.calls)
        print(rows.lines_of([*crew.figures(), *self._restarts.items()]))
        print(rows.lines_of(table(found)))
        if self._options.control:
            print("The control found doubles." if doubles(found) else "THE CONTROL FOUND NOTHING.")
            return 0 if doubles(found) else 1
        missed = crew.points_not_reached()
        print(f"NOT REACHED: {', '.join(missed)}" if missed else "Every named crash point was reached.")
        return int(is_broken(found) or bool(missed))

    def _arrange(self, simulators: Simulators) -> None:
        from django.db import connection  # noqa: PLC0415

        from callcenter.tests.factories import make_account  # noqa: PLC0415
        from telephony.models import DialerLine, OpeningHours, RetryRule  # noqa: PLC0415

        line = rows.make_line(base_url=simulators.digitro_url, attendants=1_000)
        company, hours = line.company, list(line.opening_hours.all())
        for number in range(1, LINES):
            line.pk, line.name = None, f"Linha {number}"
            line._state.adding = True
            line.save()
            OpeningHours.objects.bulk_create(
                OpeningHours(line=line, weekday=one.weekday, opens_at=one.opens_at, closes_at=one.closes_at)
                for one in hours
            )
        DialerLine.objects.update(max_calls_at_once=800 // LINES, calls_per_second=CALLS_PER_SECOND / LINES)
        make_account(company, base_url=simulators.directcall_url)
        RetryRule.objects.all().delete()
        calls = self._options.calls
        fates = [FATES[number % len(FATES)] for number in range(calls)]
        # One after the other, the bad ones would keep the lines' breakers open.
        self._chance.shuffle(fates)
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [company.pk, list(range(calls)), fates])

    def _fail_everything(self, crew: Crew, simulators: Simulators) -> None:
        kills = self._options.kills
        marks = sorted(self._chance.uniform(0, KILLED_UNTIL * self._options.calls) for _ in range(kills))
        restarts: dict[int, Callable[[], None]] = {kills // 3: self._restart_broker, kills // 2: self._crash_database}
        restarts[kills * 2 // 3] = self._restart_broker
        for number, mark in enumerate(marks):
            _wait(
                lambda mark=mark: simulators.stats()[0].get("dialed", 0) >= mark,  # type: ignore[misc]
                seconds=LONGEST_PEACE_SECONDS,
                meanwhile=crew.look,
            )
            if number in restarts:
                restarts[number]()
            crew.kill_one()

    def _restart_broker(self) -> None:
        port = _port(self._broker.url)
        self._broker.stop()
        self._broker = engines.start_redis(self._folder, port=port)
        self._restarts["restarts of the broker"] += 1

    def _crash_database(self) -> None:
        port = _port(self._database.url)
        self._database.process.send_signal(signal.SIGQUIT)
        self._database.process.wait()
        self._database = engines.run_postgres(self._folder, port=port, is_durable=True)
        self._restarts["crashes of the database"] += 1


def _wait(condition: Callable[[], Any], *, seconds: float, meanwhile: Callable[[], None]) -> bool:
    """Whether the condition came true in time; it is not while the database is away."""
    from django.db import Error, connection  # noqa: PLC0415

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        meanwhile()
        try:
            if condition():
                return True
        except Error:
            connection.close()
        time.sleep(0.1)
    return False


def _is_settled() -> bool:
    from requests_app.models import CallRequest  # noqa: PLC0415
    from telephony.models import CallAttempt  # noqa: PLC0415
    from telephony.states import OPEN, AttemptState  # noqa: PLC0415

    moving = CallAttempt.objects.filter(state__in=OPEN).exclude(state=AttemptState.IN_DOUBT)
    return not moving.exists() and not CallRequest.objects.filter(due_at__isnull=False).exists()


def _all_applied() -> bool:
    from telephony.models import ProviderEvent  # noqa: PLC0415

    return not ProviderEvent.objects.filter(state=ProviderEvent.State.RECEIVED).exists()


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1].partition("/")[0])


if __name__ == "__main__":
    main()
