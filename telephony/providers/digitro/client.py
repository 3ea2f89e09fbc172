"""The client of a Dígitro PABX: one POST a call or command, never repeated.

Source: https://docs-pabx.digitro.com/api-10271002
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telephony.providers import http
from telephony.providers.digitro import wire
from telephony.providers.http import Answer, Timeouts, checked_base_url, error_for_status


class DigitroClient:
    """Places calls through one line, and commands them. Holds no connection and no state: threads may share it.

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

    def finish_call(self, call_id: str, *, slug: str) -> None:
        """Nothing; the PABX took the command to end the call ("Finalizar chamada em andamento").

        *Safe to repeat?* Of these commands all but data that changed meanwhile: the call ends, moves, or has moved.
        A person should look first whether it happened.
        """
        self._command(wire.finish_body(self._line, call_id=call_id), slug=slug)

    def transfer_call(self, call_id: str, *, to_device: str, slug: str) -> None:
        """Nothing; the PABX took the command to hand the call over ("Transferir chamada imediatamente")."""
        self._command(wire.transfer_body(self._line, call_id=call_id, to_device=to_device), slug=slug)

    def redirect_in_queue(self, call_id: str, *, to_device: str, priority: int, slug: str, data: str = "") -> None:
        """Nothing; the PABX took the command to move a waiting call ("Redirecionar chamada em Fila DAC")."""
        body = wire.redirect_body(self._line, call_id=call_id, to_device=to_device, priority=priority, data=data)
        self._command(body, slug=slug)

    def associate_data(self, call_id: str, *, data: str, slug: str) -> None:
        """Nothing; the PABX took the data ("Associar dados a uma chamada"). They replace what the call had."""
        self._command(wire.associate_body(self._line, call_id=call_id, data=data), slug=slug)

    def log_dac_device(self, device: wire.DeviceAccess, *, log_in: bool, slug: str) -> None:
        """Nothing; the PABX took the command to log the device in or out ("Login/logout em dispositivos DAC").

        *Safe to repeat?* Yes: a device that is logged in is logged in.
        """
        self._command(wire.dac_body(device, log_in=log_in), slug=slug)

    def _place(self, body: Mapping[str, str | None], *, slug: str, before_send: Callable[[], None] | None) -> str:
        return wire.read_call_id(self._command(body, slug=slug, before_send=before_send).content)

    def _command(
        self, body: Mapping[str, str | None], *, slug: str, before_send: Callable[[], None] | None = None
    ) -> Answer:
        answer = self._post(
            checked_base_url(self._line.base_url) + wire.request_path(self._line.channel_id, slug),
            content=wire.encoded_body(body),
            headers=wire.request_headers(self._line.api_key),
            timeouts=self._timeouts,
            before_send=before_send,
        )
        if error := error_for_status(answer.status_code):
            raise error
        return answer
