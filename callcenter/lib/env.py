"""The process environment, read with types; a missing or unreadable value stops the start with a sentence.

Every variable may instead be given as `NAME_FILE`, the path of a file that holds the value (a Docker secret, say).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import environ
from django.core.exceptions import ImproperlyConfigured

from callcenter.lib.addresses import networks_of

if TYPE_CHECKING:
    from callcenter.lib.addresses import Network


class Env(environ.FileAwareEnv):
    """django-environ's reader, whose refusals name the variable and what it must look like."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **kwargs: Any) -> Any:
        """The value of `var`, cast; the default when it is neither set nor given as a file.

        Errors: `ImproperlyConfigured`, which never repeats the value.
        """
        try:
            return super().get_value(var, cast=cast, default=default, **kwargs)
        except ImproperlyConfigured as error:
            raise ImproperlyConfigured(
                f"{var} is not set; give it in the environment, in .env or as {var}_FILE (see .env.example)."
            ) from error
        except OSError as error:
            raise ImproperlyConfigured(f"{var}_FILE names a file that can't be read: {error.strerror}.") from error
        except (ValueError, TypeError) as error:
            kind = getattr(cast, "__name__", str(cast))
            raise ImproperlyConfigured(f"{var} is set, but can't be read as {kind}.") from error

    def bool(self, var: Any, default: Any = environ.Env.NOTSET) -> bool:
        """True for 1/true/yes/on, False for 0/false/no/off; anything else is refused, not taken for False."""
        text = self.get_value(var, cast=str, default=None if default is not environ.Env.NOTSET else default)
        if text is None:
            return bool(default)
        word = text.strip().lower()
        if word in {"1", "true", "yes", "on"}:
            return True
        if word in {"0", "false", "no", "off"}:
            return False
        raise ImproperlyConfigured(f"{var} must be true or false.")

    def networks(self, var: str, default: Any = environ.Env.NOTSET) -> list[Network]:
        """IP networks (`10.0.0.0/8`) separated by commas.

        Errors: `ImproperlyConfigured`, for host bits too.
        """
        try:
            return networks_of(text.strip() for text in self.list(var, default=default) if text.strip())
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} must be networks like 10.0.0.0/8, separated by commas.") from error

    def secret(self, var: str, default: Any = environ.Env.NOTSET, *, minimum_length: int = 0) -> str:
        """A secret text, stripped of the newline that files end with.

        Errors: `ImproperlyConfigured` when it is shorter than `minimum_length` characters; one without a default
        must not be empty.
        """
        text = str(self.get_value(var, cast=str, default=default)).strip()
        if not text and default is environ.Env.NOTSET:
            raise ImproperlyConfigured(f"{var} is empty; give it in the environment, in .env or as {var}_FILE.")
        if text and len(text) < minimum_length:
            raise ImproperlyConfigured(f"{var} must have at least {minimum_length} characters.")
        return text


def reader(env_file: Path | None) -> Env:
    """A reader of the process environment, over the `.env` file when there is one (the environment wins)."""
    if env_file is not None and env_file.is_file():
        environ.Env.read_env(str(env_file))
    return Env()
