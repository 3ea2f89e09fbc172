"""The client of an OpenAI-compatible endpoint: one POST, no redirect, no proxy, one deadline for the whole answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import requests

from helpdesk.providers.base import Refused, Unavailable, Unreadable
from helpdesk.providers.embedded.search import best_passages
from helpdesk.providers.openai_compatible import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from helpdesk.providers.base import ContactDetails, Question, Suggestion

MAX_ANSWER_BYTES: Final = 256 * 1024
# What the model is given to answer by: enough to hold the answer, little enough for a small model.
MOST_PASSAGES: Final = 6
_CHUNK: Final = 16 * 1024


@dataclass(frozen=True)
class Endpoint:
    """Where the endpoint is and what it is asked with; `base_url` ends before `/chat/completions`."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    connect_seconds: float = 3.0
    total_seconds: float = 20.0


class OpenAICompatibleAssistant:
    """Answers by the passages that text search finds best, in the model's words, and names those it used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def suggest(self, question: Question) -> Suggestion | None:
        """The model's answer, with the confidence that it claims; None when no passage speaks of it."""
        passages = [found.passage for found in best_passages(question.text, question.passages, most=MOST_PASSAGES)]
        if not passages:
            return None
        content = self._post(wire.suggestion_body(question, passages, model=self._endpoint.model))
        return wire.read_suggestion(content, passages)

    def contact_details(self, texts: Sequence[str]) -> ContactDetails:
        """What the model found, as far as it stands in the messages."""
        return wire.read_details(self._post(wire.details_body(texts, model=self._endpoint.model)), texts)

    def _post(self, content: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if self._endpoint.api_key:
            headers["Authorization"] = f"Bearer {self._endpoint.api_key}"
        url = self._endpoint.base_url.rstrip("/") + wire.PATH
        expires_at = time.monotonic() + self._endpoint.total_seconds
        problem: Unavailable | Refused | Unreadable
        try:
            with requests.Session() as session:
                # Neither proxies nor .netrc of the environment.
                session.trust_env = False
                with session.post(
                    url,
                    data=content,
                    headers=headers,
                    timeout=(self._endpoint.connect_seconds, self._endpoint.total_seconds),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    _check_status(response.status_code)
                    return b"".join(_within(response.iter_content(_CHUNK), expires_at))
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
            problem = Refused("The assistant's address can't be used.")
        except (requests.RequestException, OSError, ValueError) as error:
            problem = Unavailable(f"The assistant did not answer ({type(error).__name__}).")
        # Raised outside the handlers: the library's error may quote the URL or a header, so it is not chained.
        raise problem


def _check_status(status_code: int) -> None:
    if status_code == 200:
        return
    if status_code in {408, 425, 429} or status_code >= 500:
        raise Unavailable(f"The assistant answered HTTP {status_code}.", status_code=status_code)
    raise Refused(f"The assistant answered HTTP {status_code}.", status_code=status_code)


def _within(chunks: Iterator[bytes], expires_at: float) -> Iterator[bytes]:
    """The chunks, as long as there is time and they are not too many."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise Unreadable("The assistant's answer is too long.")
        if time.monotonic() > expires_at:
            raise Unavailable("The assistant took too long.")
        yield chunk
