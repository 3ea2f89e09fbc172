"""Reads the event channels of all lines, until told to stop."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from telephony.selectors import channel_process_is_missing
from telephony.services.channel_reading import ChannelProcess


class Command(BaseCommand):
    """`manage.py digitro_channel [--check]`."""

    help = "Opens and reads the event channel of every dialer line without a fixed channelID. Several may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The health check."""
        parser.add_argument("--check", action="store_true", help="only say whether some process reads the channels")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read until SIGTERM or SIGINT."""
        if options["check"]:
            if channel_process_is_missing(now=timezone.now()):
                raise CommandError("No process reads the event channels.")
            return
        process = ChannelProcess()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop())
        process.run()
