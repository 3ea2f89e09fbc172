"""``python -m helpdesk.simulators``: the command line of the assistant's endpoint."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from helpdesk.simulators.assistant import FATES, AssistantServer


def main(words: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0, or 2 when the address can't be had."""
    parser = argparse.ArgumentParser(
        prog="python -m helpdesk.simulators",
        description="An endpoint that speaks OpenAI's chat completions. Words in the question script it.",
        epilog="\n".join(f"{word:>14}  {meaning}" for word, meaning in FATES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9300, help="0 = any free one (default: %(default)s)")
    arguments = parser.parse_args(words)
    try:
        server = AssistantServer(arguments.host, arguments.port)
    except (OSError, OverflowError) as error:
        print(f"cannot listen on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        return 2
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with server:
        print(f"listening on {server.base_url}", flush=True)
        stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
