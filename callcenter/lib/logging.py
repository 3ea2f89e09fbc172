"""Log records without secrets: phone numbers, tokens, passwords and query strings are masked on the handlers."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.views.debug import SafeExceptionReporterFilter

if TYPE_CHECKING:
    from collections.abc import ItemsView

MASK: Final = "***"

# Names whose value is never written, in English and in the providers' Portuguese.
SECRET_NAME: Final = re.compile(
    r"pass|senha|secret|token|key|authorization|conta|telefone|phone|cpf|dados|identidade|destino|origem"
    r"|originator|dispositivo|session|cookie|credential|pepper|signature|email",
    re.IGNORECASE,
)

_WEBHOOK_PATH = re.compile(r"(/webhooks/[a-z]+/)[^\s/?\"']+")
_NAMED_SECRET = re.compile(
    r"(?i)([\"']?(?:pass(?:word)?|senha\w*|secret|token|access_token|api[_-]?key|x-api-key|authorization|conta|"
    r"client_secret|json|data)[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,&;}\]]+)"
)
# An HTTP credential, with or without its header's name in front.
_CREDENTIAL = re.compile(r"(?i)\b(basic|bearer|digest)\s+[A-Za-z0-9+/=._~-]{6,}")
# Eight digits or more, with the punctuation people put into phone numbers; dates and times are left alone.
_PHONE = re.compile(r"(?<![\w:./-])\+?\(?\d[\d()\-. ]{6,18}\d(?![\w:])")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}")


def _mask_phone(match: re.Match[str]) -> str:
    text = match.group(0)
    digits = re.sub(r"\D", "", text)
    if len(digits) < 8 or _DATE.match(text):
        return text
    return f"…{digits[-4:]}"


def redacted(text: str) -> str:
    """The text with webhook secrets, named secrets and phone numbers masked, and on one line."""
    text = _WEBHOOK_PATH.sub(rf"\1{MASK}", text)
    text = _CREDENTIAL.sub(rf"\1 {MASK}", text)
    text = _NAMED_SECRET.sub(rf"\1{MASK}", text)
    text = _PHONE.sub(_mask_phone, text)
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\x1b", "\\x1b")


class RedactingFormatter(logging.Formatter):
    """One line a record: `time level logger message`, masked; a traceback keeps its lines, masked one by one."""

    def format(self, record: logging.LogRecord) -> str:
        """The masked line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{at} {record.levelname} {record.name} {redacted(record.getMessage())}"
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "\n" + "\n".join(redacted(part) for part in trace.splitlines())
        return line


class JsonFormatter(RedactingFormatter):
    """One JSON object a record, masked, for collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """The masked object as one line of JSON."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if record.exc_info:
            entry["trace"] = [redacted(part) for part in self.formatException(record.exc_info).splitlines()]
        return json.dumps(entry, ensure_ascii=False)


class ReporterFilter(SafeExceptionReporterFilter):
    """Django's error reports with the Portuguese names masked too, and no form fields or local variables at all."""

    cleansed_substitute = MASK
    hidden_settings = SECRET_NAME

    def get_post_parameters(self, request: Any) -> dict[str, str]:
        """The names of the posted fields; never their values."""
        return {} if request is None else dict.fromkeys(request.POST, MASK)

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> ItemsView[str, Any]:
        """The names of the local variables; never their values."""
        return dict.fromkeys(tb_frame.f_locals, MASK).items()
