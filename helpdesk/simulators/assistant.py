"""An endpoint that speaks OpenAI's chat completions, answering from the numbered passages it is given.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

# A word in the last message of the user, and what it brings about.
FATES: Final = {
    "sim-500": "HTTP 500",
    "sim-429": "HTTP 429",
    "sim-401": "HTTP 401",
    "sim-redirect": "HTTP 302 to elsewhere",
    "sim-silence": "no answer, the connection stays open",
    "sim-cut": "the connection is closed without an answer",
    "sim-nonsense": "a body that is no JSON",
    "sim-prose": "a model that writes prose instead of an object",
    "sim-invent": "an answer that names no passage",
    "sim-unsure": "an answer with little confidence",
    "sim-nothing": "an empty answer: the passages say nothing",
    "sim-long": "an answer of a megabyte",
}
_STATUSES: Final = {"sim-500": 500, "sim-429": 429, "sim-401": 401, "sim-redirect": 302}
_CONTENTS: Final = {
    "sim-prose": "Claro! Posso ajudar com isso.",
    "sim-invent": '{"resposta": "Enviamos de graça para Marte.", "fontes": [], "confianca": 1}',
    "sim-unsure": '{"resposta": "Talvez.", "fontes": [1], "confianca": 0.2}',
    "sim-nothing": '{"resposta": "", "fontes": [], "confianca": 0}',
}
_PASSAGE: Final = re.compile(r"\[1\] (?P<title>.*)\n(?P<text>.*)")


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: "_Server"

    def do_POST(self) -> None:
        """Answer as the question's words script it."""
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        self.server.asked.append({"path": self.path, "authorization": self.headers.get("Authorization"), **asked})
        question = str(asked["messages"][-1]["content"])
        fate = next((word for word in FATES if word in question), "")
        if fate == "sim-silence":
            self.server.stopping.wait(30)
        if fate in {"sim-silence", "sim-cut"}:
            self.close_connection = True
            return
        status = _STATUSES.get(fate, 200)
        body = json.dumps(_completion(asked, fate)).encode()
        if fate == "sim-nonsense":
            body = b"<html>502</html>"
        self._send(status, b" " * 1_048_576 + body if fate == "sim-long" else body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: lines would carry what people wrote."""


def _completion(asked: dict[str, Any], fate: str) -> dict[str, Any]:
    """The answer's body, as much of it as is documented and matters."""
    content = _CONTENTS.get(fate) or _written(asked)
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": asked.get("model", ""),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _written(asked: dict[str, Any]) -> str:
    """What a well-behaved model writes: the first passage, or the e-mail address and the name it was asked to find."""
    rules, question = str(asked["messages"][0]["content"]), str(asked["messages"][-1]["content"])
    if "telefone" in rules:
        email = re.search(r"\S+@\S+\.\w+", question)
        name = re.search(r"nome é (\w+)", question)
        found = {"email": email[0] if email else "", "nome": name[1] if name else "", "cidade": "Atlântida"}
        return json.dumps({"telefone": "", "empresa": "", **found}, ensure_ascii=False)
    passage = _PASSAGE.search(rules)
    if passage is None:
        return _CONTENTS["sim-nothing"]
    text = f"Pelo que temos em “{passage['title']}”: {passage['text']}"
    answer = json.dumps({"resposta": text, "fontes": [1], "confianca": 0.9}, ensure_ascii=False)
    # Models like to fence what they write.
    return f"```json\n{answer}\n```"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.asked: list[dict[str, Any]] = []
        self.stopping = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is nothing to report."""


class AssistantServer:
    """The endpoint, listening while it is entered; `asked` is every body that came, with path and authorization."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = _Server((host, port))
        self.asked = self._server.asked
        self.base_url = f"http://{host}:{self._server.server_address[1]}/v1"

    def __enter__(self) -> "AssistantServer":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
