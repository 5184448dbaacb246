"""A venue with sockets in this process, and raw clients for it."""

import contextlib

import pytest
from raw_client import RawClient

from ledgerx.exchange import Exchange
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.protocol.crypto import KeyPair


class Hall:
    """An exchange, accounts by name, and clients that are closed in the end."""

    def __init__(self, folder, stack, **settings):
        self.exchange = Exchange(folder, http=False, settings=GatewaySettings(**settings))
        self.keys = {}
        self._stack = stack
        stack.enter_context(self.exchange)

    def register(self, *names):
        for name in names:
            self.keys[name] = KeyPair.generate()
            self.exchange.add_account(name, self.keys[name].public)

    def client(self, name, **options):
        """A connection of an account, made if it is new. It has said nothing yet."""
        if name not in self.keys:
            self.register(name)
        return self.stranger(keys=self.keys[name], **options)

    @property
    def connections(self):
        """The gateway's own table, to be looked at."""
        return self.exchange._server._gateway.connections

    def stranger(self, **options):
        return self._stack.enter_context(RawClient(self.exchange, **options))


@pytest.fixture
def open_hall(tmp_path):
    """Makes halls: open_hall(interval_ms=20)."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: Hall(tmp_path / "D", stack, **settings)


@pytest.fixture
def hall(open_hall):
    return open_hall(interval_ms=50, heartbeats_missed_max=1000)
