"""`manage.py rotate_secrets [--check]`: every encrypted column written with the first key, so that others can go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from callcenter.lib.secret_rotation import rotate

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Finds the encrypted columns of all models by itself; may be interrupted and run again."""

    help = "Encrypts the stored secrets anew with the first of FIELD_ENCRYPTION_KEYS; safe to repeat, at any time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check` changes nothing."""
        parser.add_argument(
            "--check", action="store_true", help="only count; fails when a value is not of the first key"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Say for each column what was found and done.

        Errors: `CommandError` when a value can't be read, or, with `--check`, when one is of an older key.
        """
        found = rotate(check_only=check)
        done = "of an older key" if check else "rotated"
        for each in found:
            self.stdout.write(
                f"{each.name}: {each.current} current, {each.older} {done}, {len(each.unreadable)} unreadable"
            )
        unreadable = [f"{each.name} of {pk}" for each in found for pk in each.unreadable]
        if unreadable:
            raise CommandError(
                "No configured key opens these; bring the key back or enter them anew: " + ", ".join(unreadable)
            )
        if check and any(each.older for each in found):
            raise CommandError("Older keys are still needed; run rotate_secrets without --check.")
        if not check:
            self.stdout.write("Only the first key is needed now.")
