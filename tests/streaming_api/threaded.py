"""What tests of a session that several threads use share: settings, and a thread that fails in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ledgerx.streaming_api.session import SessionSettings

__all__ = ["Failing", "settings"]


def settings(port: int, **more: object) -> SessionSettings:
    fields = {"username": "user", "password": "pass", "ssl": False, "socket_timeout": 20.0, **more}
    return SessionSettings(host="127.0.0.1", port=port, **fields)  # type: ignore[arg-type]


class Failing(threading.Thread):
    """A thread that calls something until it fails; with what."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.error: BaseException | None = None
        self._call = call
        self.start()

    def run(self) -> None:
        try:
            while True:
                self._call()
        except BaseException as error:
            self.error = error

    def end(self) -> BaseException | None:
        self.join(10)
        assert not self.is_alive()
        return self.error
