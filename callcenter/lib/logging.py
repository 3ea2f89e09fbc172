"""Log records without secrets: phone numbers, tokens, passwords and query strings are masked on the handlers."""

from __future__ import annotations

import copy
import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

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
_USER_INFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@\"']*@")
_COOKIE = re.compile(r"(?i)(\b(?:set-)?cookie\\*[\"']?\s*[=:]\s*)[^\r\n]+")
# An HTTP credential, with or without its header's name in front.
_CREDENTIAL = re.compile(r"(?i)\b(basic|bearer|digest)\s+[A-Za-z0-9+/=._~-]{6,}")
_NAMED_SECRET = re.compile(
    r"(?i)((?:pass(?:word)?|senha\w*|secret|token|access_token|api[_-]?key|(?<=[?&])key|authorization|conta|sessionid|"
    r"json|data|dados|telefone\w*|cpf)\\*[\"']?\s*[=:]\s*)(?:(?:basic|bearer|digest)\s+)?"
    r"(?:\\*\"[^\"]*\"|\\*'[^']*'|[^\s,&;}\]]+)"
)
# What looks like a phone number and is none comes first: UUIDs, dates with their times, IPv4 addresses. Then eight
# digits or more with the punctuation that people put into phone numbers, and ten or more in a row wherever they stand.
_NUMBER = re.compile(
    r"""(?ix)
    (?P<harmless>
        (?<![\w-]) [0-9a-f]{8} (?:-[0-9a-f]{4}){3} -[0-9a-f]{12} (?![\w-])
      | (?<!\d) \d{4}-\d{2}-\d{2} (?:[T\ ]\d{2}:\d{2} (?: :\d{2} (?:[.,]\d+)? )? )? (?!\d)
      | (?<![\d.]) (?:25[0-5]|2[0-4]\d|1?\d?\d) (?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3} (?![\d.])
    )
    | (?<![\w./-]) (?<!\d:) \+?\(?\d [\d()\-.\ \u00a0\u2007\u2009\u2011\u202f]{6,18} \d (?![\w:])
    | \d{10,}
    | (?<=\d/) \d{4,5}-\d{4} (?!\d)
    """
)
# Line ends of every kind, terminal commands, and halves of surrogate pairs, which no stream can write.
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _mask_number(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return match[0] if match["harmless"] or len(digits) < 8 else f"…{digits[-4:]}"


def redacted(text: str) -> str:
    """The text with webhook secrets, credentials, named secrets and phone numbers masked, and on one line."""
    text = _WEBHOOK_PATH.sub(rf"\1{MASK}", text)
    text = _USER_INFO.sub(rf"\1{MASK}@", text)
    text = _COOKIE.sub(rf"\1{MASK}", text)
    text = _CREDENTIAL.sub(rf"\1 {MASK}", text)
    text = _NAMED_SECRET.sub(rf"\1{MASK}", text)
    text = _NUMBER.sub(_mask_number, text)
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class RedactingFormatter(logging.Formatter):
    """One line a record: `time level logger message`, masked; a traceback keeps its lines, masked one by one."""

    def format(self, record: logging.LogRecord) -> str:
        """The masked line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{at} {record.levelname} {record.name} {redacted(record.getMessage())}"
        return "\n".join([line, *self.trace(record)])

    def trace(self, record: logging.LogRecord) -> list[str]:
        """The traceback's masked lines; none for a request that Django refused (403, 404), where the line says all."""
        is_refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if not record.exc_info or is_refusal:
            return []
        return [redacted(part) for part in self.formatException(record.exc_info).splitlines()]


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
        if trace := self.trace(record):
            entry["trace"] = trace
        return json.dumps(entry, ensure_ascii=False)


# What of a request's environment holds its query, or another page's.
_WITH_QUERY: Final = frozenset({"QUERY_STRING", "HTTP_REFERER", "REQUEST_URI", "RAW_URI"})


class ReporterFilter(SafeExceptionReporterFilter):
    """Django's error reports with the Portuguese names masked too, and no form fields or local variables at all."""

    cleansed_substitute = MASK
    hidden_settings = SECRET_NAME

    def get_safe_request_meta(self, request: Any) -> dict[str, Any]:
        """The request's headers and environment, masked by name and by look; never the query."""
        meta = super().get_safe_request_meta(request)
        shown = {name: redacted(value) if isinstance(value, str) else value for name, value in meta.items()}
        return {name: MASK if name in _WITH_QUERY and value else value for name, value in shown.items()}

    def get_post_parameters(self, request: Any) -> dict[str, str]:
        """The names of the posted fields; never their values."""
        return {} if request is None else dict.fromkeys(request.POST, MASK)

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> ItemsView[str, Any]:
        """The names of the local variables; never their values."""
        return dict.fromkeys(tb_frame.f_locals, MASK).items()


class Reporter(ExceptionReporter):
    """Django's error report without the values of the query and of cookies, and with every error's text masked.

    The filter alone does not do: Django puts these into a report without asking it.
    """

    def get_traceback_data(self) -> dict[str, Any]:
        """What the report's templates show."""
        data: dict[str, Any] = super().get_traceback_data()
        if "exception_value" in data:
            data["exception_value"] = redacted(str(data["exception_value"]))
        if self.request is not None:
            data["request_GET_items"] = dict.fromkeys(self.request.GET, MASK).items()
            data["request_COOKIES_items"] = dict.fromkeys(self.request.COOKIES, MASK).items()
            shown = copy.copy(self.request)
            shown.path_info = data["request_insecure_uri"] = redacted(self.request.path)
            data["request"] = shown
        return data

    def get_traceback_frames(self) -> list[dict[str, Any]]:
        """The frames; of the errors that led to the last one, the text masked."""
        frames: list[dict[str, Any]] = super().get_traceback_frames()
        for frame in frames:
            if frame.get("exc_cause"):
                frame["exc_cause"] = redacted(str(frame["exc_cause"]))
        return frames
