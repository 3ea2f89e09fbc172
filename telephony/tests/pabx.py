"""A PABX of a few lines for the tests that need one exact answer: it counts what it is sent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class TinyPabx:
    """An HTTP server on a free port; use it in a `with`.

    `status_code` and `body` are its answer (None = the connection is closed without one); without a `body` each call
    gets an id of its own. `choose_status_code`, when set, is asked for each answer's status. `before_answer` is called
    with each POST's fields before it is answered.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status_code: int | None = 200
        self.body: bytes | None = None
        self.location = ""
        self.choose_status_code: Callable[[], int | None] | None = None
        self.before_answer: Callable[[dict[str, Any]], None] = lambda _fields: None
        pabx = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pabx.paths.append(self.path)
                with pabx.lock:
                    pabx.posts.append(fields)
                    call_id = f"08/07/24 10:46:19 010A {len(pabx.posts):04d}/00"
                    status_code = pabx.choose_status_code() if pabx.choose_status_code else pabx.status_code
                pabx.before_answer(fields)
                if status_code is None:
                    return
                body = json.dumps({"ID_CHAMADA": call_id}).encode() if pabx.body is None else pabx.body
                self.send_response(status_code)
                if pabx.location:
                    self.send_header("Location", pabx.location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def numbers(self) -> list[str]:
        """The numbers it was told to dial, in order."""
        return [fields["IDENTIDADE_DESTINO"] for fields in self.posts]
