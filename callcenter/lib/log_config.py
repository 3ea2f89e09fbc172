"""What Django is told about logging: one handler on the console, masked."""

from __future__ import annotations

from typing import Any


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """The value of `LOGGING`; `form` is text or json."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "callcenter.lib.logging.RedactingFormatter"},
            "json": {"()": "callcenter.lib.logging.JsonFormatter"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": ["console"], "level": level, "propagate": False},
            # requests.packages prints whole URLs at DEBUG, query-string tokens included.
            "urllib3": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
