"""The connection of Django's PostgreSQL backend, which is asked whether it lives only where that is in doubt."""

from __future__ import annotations

import select
import time
from typing import Any, Final

from django.db.backends.postgresql import base

# A server that vanished without a word is found out after this long, as its connections are asked again.
_TRUSTED_SECONDS: Final = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, with `CONN_HEALTH_CHECKS` that cost no statement for each HTTP request.

    A server that ends a connection (restart, fail-over, an administrator) says so on its socket, and there is nothing
    else that it says between two statements. So a silent socket is trusted for some seconds after the last `SELECT 1`.
    """

    # Django's own, which its stubs do not know.
    health_check_enabled: bool
    health_check_done: bool
    _heard_at: float = float("-inf")

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that is known to live."""
        connection = super().get_new_connection(conn_params)
        self._heard_at = time.monotonic()
        return connection

    def is_usable(self) -> bool:
        """Whether the server answers. One statement."""
        usable = super().is_usable()
        if usable:
            self._heard_at = time.monotonic()
        return usable

    def close_if_health_check_failed(self) -> None:
        """Nothing; where the last request's connection is dead, the next statement opens another."""
        if self.health_check_enabled and not self.health_check_done and self._is_trusted():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def _is_trusted(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        if time.monotonic() - self._heard_at > _TRUSTED_SECONDS:
            return False
        # poll, not select, which knows no more than 1,024 files. It tells of an end and of an error unasked.
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        return not socket.poll(0)
