"""Bodies whose length no header tells (`Transfer-Encoding: chunked`, HTTP/2), which Django takes for empty ones."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Environ = dict[str, Any]
    Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_BODILESS: Final = frozenset({"GET", "HEAD"})


class MeasuredBodies:
    """The WSGI application, which gets every body with its length.

    Only behind a server that ends the input where the body ends (`wsgi.input_terminated`). At most one byte more than
    `most_bytes` is read: so much tells Django that it is too large.
    """

    def __init__(self, application: Application, *, most_bytes: int) -> None:
        self._application = application
        self._most_bytes = most_bytes

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """What the application answers."""
        if (
            not environ.get("CONTENT_LENGTH")
            and environ.get("wsgi.input_terminated")
            and environ["REQUEST_METHOD"] not in _BODILESS
        ):
            body = self._read(environ["wsgi.input"])
            environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        return self._application(environ, start_response)

    def _read(self, stream: Any) -> bytes:
        body = bytearray()
        while len(body) <= self._most_bytes and (part := stream.read(self._most_bytes + 1 - len(body))):
            body += part
        return bytes(body)
