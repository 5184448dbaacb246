"""Streaming sessions in virtual time: traders, a real venue with its desk, and a network that fails.

Connections are cut with what is under way, frames are lost and come twice, traders and the venue die at any
step and start again. In the end each trader must have heard all of its account's line that has a form in the
protocol, once and in order, and no order of it may be in the line twice. The same seed gives the same run.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

from ledgerx.clock import Random, seeded_random
from ledgerx.errors import VerificationFailed
from ledgerx.exchange.streaming.commands import (
    Admitted,
    Asks,
    Ended,
    Frames,
    FrontCommand,
    Login,
    Mailbox,
    Refused,
)
from ledgerx.exchange.streaming.desk import StreamingDesk
from ledgerx.exchange.streaming.reports import LineTranslator
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.payloads import FIELD_OF_TYPE, account_sequence_of, wrap
from ledgerx.testing.clock import VirtualClock
from ledgerx.testing.disk import scratch_folder
from ledgerx.testing.streaming.pipe import Pipe

__all__ = ["run_seed"]

_TRADERS: Final = 3
_STEPS: Final = 800
_SETTLING_STEPS_MAX: Final = 3_000
_CONTRACT: Final = 1
_LOT: Final = 10_000
_SETTINGS: Final = CoreSettings(heartbeat_s=1.0, login_timeout_s=3.0, gap_timeout_s=2.0, logout_timeout_s=1.0)

Heard = tuple[int, str, int]
"""A message of the account: its sequence, its kind, its order_id."""


class _Trader:
    """A program that writes down what it hears, and survives its own death with that alone."""

    def __init__(self, name: str, numbers: Random) -> None:
        self.name = name
        self.cid = 0
        self.heard: list[Heard] = []
        self.reference = 0
        self.open: list[int] = []
        self.core: SessionCore | None = None
        self.connection: _Connection | None = None
        self._numbers = numbers

    def ask(self, now: float) -> None:
        """Put an order or a cancel into the session."""
        assert self.core is not None
        if self.open and self._numbers.random() < 0.3:
            self.core.send(wrap(seto.OrderCancel(order_id=self.open.pop(0))), now)
            return
        self.reference += 1
        order = seto.OrderCreate(
            side=self._numbers.choice((seto.SIDE_BUY, seto.SIDE_SELL)),
            quantity=_LOT * self._numbers.randrange(1, 4),
            price=1000 + 100 * self._numbers.randrange(5),
            reference=self.reference,
            market_id=_CONTRACT,
            contract_id=_CONTRACT,
        )
        self.core.send(wrap(order), now)

    def hear(self) -> None:
        """Write down what the session has for it."""
        assert self.core is not None
        while (frame := self.core.next_frame()) is not None:
            payload = frame.protobuf
            sequence = account_sequence_of(payload)
            if sequence:
                field = FIELD_OF_TYPE[payload.type]
                order_id = getattr(getattr(payload, field), "order_id", 0)
                self.heard.append((sequence, field, order_id))
                if field == "order_accepted":
                    self.open.append(order_id)


class _Connection:
    """Both ends' cores and what is between them. `key` is how the desk knows it."""

    def __init__(self, key: int, trader: _Trader, core: SessionCore, out: Pipe, back: Pipe) -> None:
        self.key = key
        self.trader = trader
        self.gateway = core
        self.out = out
        self.back = back
        self.asked_for_login = False


class _World:
    def __init__(self, seed: int) -> None:
        self.numbers = seeded_random(f"streaming {seed}")
        self.clock = VirtualClock(f"streaming {seed}")
        self.counts: Counter[str] = Counter()
        self.folder = scratch_folder("ledgerx-streaming-")
        self.faults = self.numbers.choice((0.0, 0.02, 0.1))
        self.settling = False
        self.connections: dict[int, _Connection] = {}
        self._next_key = 1
        self.traders = [_Trader(f"trader {number}", self.numbers) for number in range(_TRADERS)]
        self._open_venue(first=True)

    # ------------------------------------------------------------------ the venue

    def _open_venue(self, *, first: bool = False) -> None:
        self.venue = Venue.open(self.folder, clock=self.clock)
        self.venue.start_run()
        if first:
            for trader in self.traders:
                trader.cid = self.venue.add_account(trader.name, KeyPair.generate().public).cid
            self.venue.commit()
        self.front: Mailbox[FrontCommand] = Mailbox()
        self.desk = StreamingDesk(self.venue, self.front, clock=self.clock)

    def turn(self, *, crash: bool = False) -> None:
        """A turn of the venue; it may die between what it executed and what it wrote."""
        self.desk.receive()
        if crash:
            self.crash()
            return
        self.desk.deliver(self.venue.commit())
        for command in self.front.take(1_000_000):
            connection = self.connections.get(command.key)
            if connection is None:
                continue
            core, now = connection.gateway, self.clock.monotonic()
            if isinstance(command, Admitted):
                core.accept(command.session, now)
            elif isinstance(command, Frames) and core.phase is Phase.OPEN:
                for payload in command.payloads:
                    core.send(payload, now)
            elif isinstance(command, Refused):
                core.logout(now, command.reason)

    def crash(self) -> None:
        """The venue's process dies and another one starts."""
        self.counts["venue crashes"] += 1
        for connection in list(self.connections.values()):
            self.cut(connection, told=False)
        self.venue.journal.abandon()
        self.venue.folder.release()
        self.desk.close()
        self.front.close()
        self._open_venue()

    # ------------------------------------------------------------------ connections

    def connect(self, trader: _Trader) -> None:
        """A new session, which resumes after what was written down."""
        now = self.clock.monotonic()
        after = trader.heard[-1][0] if trader.heard else 0
        trader.core = SessionCore(Role.CLIENT, now, settings=_SETTINGS, account_sequence=after)
        trader.core.login(seto.Login(username=trader.name), now)
        gateway = SessionCore(Role.GATEWAY, now, settings=_SETTINGS)
        faults = 0.0 if self.settling else self.faults
        pipes = [Pipe(self.numbers, self.counts, faults) for _ in range(2)]
        trader.connection = _Connection(self._next_key, trader, gateway, *pipes)
        self.connections[self._next_key] = trader.connection
        self._next_key += 1
        self.counts["connections"] += 1

    def cut(self, connection: _Connection, *, told: bool = True) -> None:
        """Both ends lose it, with what is under way and what was not sent yet."""
        del self.connections[connection.key]
        if told and connection.asked_for_login:
            self.desk.inbox.put(Ended(connection.key, lost=True))
        if connection.trader.connection is connection:
            connection.trader.connection = connection.trader.core = None

    def move(self, connection: _Connection) -> None:
        """Some bytes go some way, in both directions."""
        trader, gateway, now = connection.trader, connection.gateway, self.clock.monotonic()
        client = trader.core
        assert client is not None
        connection.out.put(_drain(client, self.numbers))
        connection.back.put(_drain(gateway, self.numbers))
        gateway.receive(connection.out.take(), now)
        client.receive(connection.back.take(), now)
        while (frame := gateway.next_frame()) is not None:
            payload = frame.protobuf
            if payload.type == seto.PAYLOAD_LOGIN:
                connection.asked_for_login = True
                after = payload.login.account_sequence_64
                self.desk.inbox.put(Login(connection.key, trader.cid, after))
            elif payload.type != seto.PAYLOAD_ETO:
                self.desk.inbox.put(Asks(connection.key, payload))
        trader.hear()
        for core in (client, gateway):
            core.tick(now)
        if client.over or gateway.over:
            self.counts["sessions ended"] += 1
            self.cut(connection)

    # ------------------------------------------------------------------ the run

    def step(self) -> None:
        """One thing happens."""
        trader = self.numbers.choice(self.traders)
        chance = self.numbers.random()
        if trader.connection is None:
            self.connect(trader)
        elif chance < 0.35 and trader.core is not None and trader.core.phase is Phase.OPEN:
            trader.ask(self.clock.monotonic())
            self.counts["asked"] += 1
        elif chance < 0.75:
            self.move(trader.connection)
        elif chance < 0.93:
            self.turn(crash=self.numbers.random() < 0.02)
        elif chance < 0.96:
            self.counts["cuts"] += 1
            self.cut(trader.connection)
        else:
            self.clock.advance(self.numbers.random() * 0.4)

    def settle(self) -> None:
        """Without faults, until every trader has heard its line. Raises VerificationFailed."""
        self.settling = True
        for connection in list(self.connections.values()):
            self.cut(connection)
        wanted: dict[str, list[Heard]] = {}
        for _ in range(_SETTLING_STEPS_MAX):
            for trader in self.traders:
                if trader.connection is None:
                    self.connect(trader)
                if trader.connection is not None:
                    self.move(trader.connection)
            self.turn()
            self.clock.advance(0.01)
            wanted = {trader.name: self.line(trader) for trader in self.traders}
            if not len(self.desk.inbox) and all(
                len(trader.heard) >= len(wanted[trader.name]) for trader in self.traders
            ):
                break
        for trader in self.traders:
            _compare(trader.name, trader.heard, wanted[trader.name])

    def line(self, trader: _Trader) -> list[Heard]:
        """The account's line in the protocol's form, translated in one go."""
        messages = self.venue.lines.read(
            trader.cid, 1, count_max=self.venue.engine.head(trader.cid), bytes_max=1 << 30
        )
        payloads, _ = LineTranslator().take(messages)
        found = []
        accepted: Counter[int] = Counter()
        for payload in payloads:
            field = FIELD_OF_TYPE[payload.type]
            message = getattr(payload, field)
            found.append((account_sequence_of(payload), field, getattr(message, "order_id", 0)))
            accepted[message.reference if field == "order_accepted" else 0] += 1
        del accepted[0]
        if any(count > 1 for count in accepted.values()):
            raise VerificationFailed(f"{trader.name}: an order was accepted twice: {accepted.most_common(1)}")
        self.counts["messages"] = max(self.counts["messages"], len(found))
        return found

    def close(self) -> None:
        """Throw it all away."""
        self.desk.close()
        self.front.close()
        self.venue.close()
        shutil.rmtree(Path(self.folder), ignore_errors=True)


def run_seed(seed: int) -> Counter[str]:
    """One run; what was counted. Raises VerificationFailed, which says what does not hold."""
    logging.getLogger("ledgerx.exchange").setLevel(logging.ERROR)
    world = _World(seed)
    try:
        for _ in range(_STEPS):
            world.step()
        world.settle()
    except VerificationFailed as error:
        raise VerificationFailed(f"seed {seed}: {error}") from error
    finally:
        world.close()
    return world.counts


def _drain(core: SessionCore, numbers: Random) -> bytes:
    """What a flush sends of a core's output: all, or a part, or nothing."""
    count = len(core.output)
    if count and not core.urgent and numbers.random() < 0.3:
        count = numbers.randrange(count)
    data = bytes(core.output[:count])
    core.sent(count)
    return data


def _compare(name: str, heard: list[Heard], wanted: list[Heard]) -> None:
    if heard == wanted:
        return
    at = next((i for i, pair in enumerate(zip(heard, wanted, strict=False)) if pair[0] != pair[1]), -1)
    raise VerificationFailed(
        f"{name} heard {len(heard)} messages of {len(wanted)}; from the one at {at} on they differ:"
        f" {heard[at : at + 3]} for {wanted[at : at + 3]}"
    )
