"""The command line of the simulated PABX."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from telephony.simulators.channels import FAULTS
from telephony.simulators.serving import at_least_zero, http_url


@dataclass(frozen=True)
class DigitroOptions:
    """How this PABX is set up. An empty device means that any device and password will do."""

    api_key: str
    channel: int
    device: str
    device_password: str
    specific_route_slug: str
    record: Path | None
    carrier: str | None
    answer_delay_ms: float
    hang_seconds: float
    events_path: str
    heartbeat_seconds: float
    event_delay_ms: float
    events_without_data: bool
    channel_faults: tuple[str, ...]
    channel_fault_seconds: float
    seed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``digitro``, beside those that both programs have."""
    parser.add_argument("--api-key", default="sim-api-key", help="accepted x-api-key (default: %(default)s)")
    parser.add_argument("--channel", type=int, default=1, help="a channel that is always open (default: %(default)s)")
    parser.add_argument("--device", default="1125000", help="accepted DISPOSITIVO, '' = any (default: %(default)s)")
    parser.add_argument("--device-password", default="4567", help="accepted SENHA_DISPOSITIVO (default: %(default)s)")
    parser.add_argument(
        "--specific-route-slug",
        default="chamada-rota-especifica",
        help="path of the call by a specific route; the real one is not public (default: %(default)s)",
    )
    parser.add_argument(
        "--record", type=Path, metavar="PATH", help="append every dialed call to this file, one JSON line each"
    )
    parser.add_argument("--carrier", type=http_url, metavar="URL", help="the Directcall simulator, told of every call")
    parser.add_argument(
        "--answer-delay-ms", type=at_least_zero, default=20.0, help="latency of an answer (default: %(default)s)"
    )
    parser.add_argument(
        "--hang-seconds", type=at_least_zero, default=30.0, help="silence of fate 15 (default: %(default)s)"
    )
    parser.add_argument(
        "--events-path",
        default="/canal-de-eventos",
        help="where GET opens an event channel; the real one is not public (default: %(default)s)",
    )
    parser.add_argument(
        "--heartbeat-seconds", type=at_least_zero, default=5.0, help="between empty packets (default: %(default)s)"
    )
    parser.add_argument(
        "--event-delay-ms", type=at_least_zero, default=400.0, help="pause before each event (default: %(default)s)"
    )
    parser.add_argument("--events-without-data", action="store_true", help="events carry ID_CHAMADA but no DADOS")
    parser.add_argument(
        "--channel-faults",
        type=_fault_names,
        default=(),
        metavar="NAME,…",
        help="let open channels meet these, one drawn every --channel-fault-seconds",
    )
    parser.add_argument("--channel-fault-seconds", type=at_least_zero, default=10.0, help="default: %(default)s")


def _fault_names(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    if unknown := [name for name in names if name not in FAULTS]:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    return names
