"""The client of a Dígitro PABX: one POST a call, never repeated.

Source: https://docs-pabx.digitro.com/api-10271002
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telephony.providers import http
from telephony.providers.digitro import wire
from telephony.providers.http import Answer, Timeouts, checked_base_url, error_for_status


class DigitroClient:
    """Places calls through one line. Holds no connection and no state: any number of threads may share it.

    `post` sends: over a new connection each (`http.post`), or over kept ones (`lanes.Lanes.post`).

    *Units*: `connect_timeout_seconds` bounds the opening of the connection, `read_timeout_seconds` everything from
    the open connection to the answer's last byte.

    *Errors* of its methods: `Misconfigured` and `Refused` (a wrong line or number: before anything is sent; or as the
    PABX answered), `Unauthorized`, `NotSent`, `Ambiguous`. No error's text holds a number, a key or a password.

    *Safe to repeat?* Only after `NotSent`. The PABX knows no idempotency key: repeating after `Ambiguous` may ring
    a person twice.
    """

    def __init__(
        self,
        line: wire.LineAccess,
        *,
        connect_timeout_seconds: float,
        read_timeout_seconds: float,
        post: Callable[..., Answer] = http.post,
    ) -> None:
        self._line = line
        self._post = post
        self._timeouts = Timeouts(connect_seconds=connect_timeout_seconds, answer_seconds=read_timeout_seconds)

    def place_predictive_call(
        self, *, phone_e164: str, data: str, before_send: Callable[[], None] | None = None
    ) -> str:
        """`ID_CHAMADA` of the call that the PABX accepted; it has not rung yet.

        `before_send` is called on the open connection, right before the first byte leaves; when it raises, nothing
        is sent and its error passes through.
        """
        body = wire.predictive_call_body(self._line, phone_e164=phone_e164, data=data)
        return self._place(body, slug=wire.PREDICTIVE_CALL_SLUG, before_send=before_send)

    def place_call_by_route(
        self, *, phone_e164: str, data: str, slug: str, before_send: Callable[[], None] | None = None
    ) -> str:
        """As `place_predictive_call`, for "Gerar chamada utilizando uma rota específica".

        `slug` is the last part of that operation's URL, which the vendor doesn't publish.
        """
        body = wire.specific_route_body(self._line, phone_e164=phone_e164, data=data)
        return self._place(body, slug=slug, before_send=before_send)

    def _place(self, body: Mapping[str, str | None], *, slug: str, before_send: Callable[[], None] | None) -> str:
        answer = self._post(
            checked_base_url(self._line.base_url) + wire.request_path(self._line.channel_id, slug),
            content=wire.encoded_body(body),
            headers=wire.request_headers(self._line.api_key),
            timeouts=self._timeouts,
            before_send=before_send,
        )
        if error := error_for_status(answer.status_code):
            raise error
        return wire.read_call_id(answer.content)
