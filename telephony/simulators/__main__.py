"""``python -m telephony.simulators digitro|directcall``: the command line of both programs."""

import argparse
import sys
from collections.abc import Sequence

from telephony.simulators import digitro, directcall
from telephony.simulators.channels import described_faults
from telephony.simulators.fates import described_fates
from telephony.simulators.serving import run_until_signalled


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="python -m telephony.simulators",
        description="Programs that behave like the providers, faults included. Nothing is ever really dialed.",
        epilog=described_fates(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    programs = top.add_subparsers(dest="program", required=True, metavar="digitro|directcall")
    for name, module, default_port in (("digitro", digitro, 9100), ("directcall", directcall, 9200)):
        program = programs.add_parser(
            name,
            help=f"default port {default_port}",
            description=(module.__doc__ or "").partition("\n")[0],
            epilog=described_fates() + ("\n\n" + described_faults() if module is digitro else ""),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        program.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        program.add_argument("--port", type=_port, default=default_port, help="0 = any free one (default: %(default)s)")
        program.add_argument("--seed", type=int, default=1, help="draws what no digits script (default: %(default)s)")
        module.add_arguments(program)
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run one program until it is told to stop; the exit code."""
    arguments = parser().parse_args(words)
    module = {"digitro": digitro, "directcall": directcall}[arguments.program]
    try:
        program = module.start(arguments)
    except OSError as error:
        print(f"cannot open {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return run_until_signalled(program, host=arguments.host, port=arguments.port)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
