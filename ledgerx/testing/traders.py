"""Traders in processes of their own, all at once, and the accounts that must come out afterwards.

`run_traders` starts client processes against a VenueProcess, may `kill -9` the venue in the middle and
start it again, and verifies what every client was told against what the venue wrote. A client is
`python -m ledgerx.testing.traders`, led line by line through its standard streams.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import seeded_random
from ledgerx.exchange.journal import Journal
from ledgerx.protocol import wire
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.testing.checks import check
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.recorder import Recorder

__all__ = ["ClientResult", "TradersResult", "run_traders"]

_TIMEOUT_S = 60.0
_IN_FLIGHT_MAX = 200  # orders of one client that are not acknowledged yet
_CONTRACTS = 3


@dataclass
class ClientResult:
    """What one client sent and was told; sizes in lots."""

    orders: int = 0
    acknowledged: list[str] = field(default_factory=list)  # mids
    sent_size: int = 0
    filled_size: int = 0
    canceled_size: int = 0
    refused_size: int = 0
    resting_size: int = 0
    wrong: int = 0  # orders whose own reports do not add up
    positions: dict[str, int] = field(default_factory=dict)
    lost: int = 0  # numbers of the account's line missing, doubled or out of order
    sequences: int = 0
    run_changes: int = 0


@dataclass
class TradersResult:
    """The sums over all clients, and what the venue's journal says."""

    orders: int = 0
    acknowledged: int = 0
    fills_size: int = 0
    sent_size: int = 0
    filled_size: int = 0
    canceled_size: int = 0
    refused_size: int = 0
    resting_size: int = 0
    run_changes: int = 0
    sequences: int = 0
    lost: int = 0
    kills: int = 0


# ---------------------------------------------------------------------------- one client


class Client:
    """One trading program: random orders, pipelined, every one of them followed to its end."""

    def __init__(self, commands: Commands, recorder: Recorder, number: int, seed: int) -> None:
        self._commands = commands
        self._recorder = recorder
        self._number = number
        self._random = seeded_random(f"{seed} {number}")
        self.items: list[RequestItem] = []

    def send(self, count: int) -> None:
        """Send `count` orders, a few of them canceled again, and wait for every ACK."""
        for number in range(count):
            self.items.append(self._order())
            if number == count // 2:
                print("half", flush=True)
            if number % 7 == 0:
                target = self._random.choice(self.items)
                self._commands.cancel_order(target.msg.contract_id, target.mid, wait=False)
            if number >= _IN_FLIGHT_MAX:
                held = self.items[number - _IN_FLIGHT_MAX].wait(State.ACKNOWLEDGED, _TIMEOUT_S)
                check(held or self.items[number - _IN_FLIGHT_MAX].finished, "an order was acknowledged")
        for item in self.items:
            check(item.wait(State.ACKNOWLEDGED, _TIMEOUT_S) or item.finished, f"{item.mid} was acknowledged")

    def _order(self) -> RequestItem:
        # One side a contract, or most orders would be refused as trades with oneself.
        contract_id = self._random.randint(1, _CONTRACTS)
        is_ask = (contract_id + self._number) % 2 == 0
        price = 100 * (self._random.randint(40, 55) + (5 if is_ask else 0))
        ioc = self._random.random() < 0.2
        return self._commands.limit_order(
            contract_id=contract_id,
            size=self._random.randint(1, 9),
            price_in_cents=price,
            is_ask=is_ask,
            time_in_force=api.MessageLimitOrder.IOC if ioc else None,
            wait=False,
        )

    def result(self) -> ClientResult:
        """What became of it all, once every client has stopped sending."""
        orders = self._commands.get_open_orders()
        check(orders.wait(timeout=_TIMEOUT_S), "the open orders came")
        open_sizes = {a.request_mid: a.size for a in orders.answers if isinstance(a, api.MessageActionReport)}
        head = max(answer.as_of for answer in orders.answers)
        sequences = self._recorder.sequences
        self._recorder.wait_for(lambda: not head or sequences[-1] >= head, "the line came to its head")
        positions = self._commands.get_positions()
        check(positions.wait(timeout=_TIMEOUT_S), "the positions came")
        result = ClientResult(
            orders=len(self.items),
            positions={
                str(a.contract_id): a.size for a in positions.answers if isinstance(a, api.MessagePosition)
            },
            lost=self._recorder.lost(),
            sequences=len(sequences),
            run_changes=len(self._recorder.run_changes),
        )
        for item in self.items:
            self._add(item, open_sizes.get(item.mid, 0), result)
        return result

    def _add(self, item: RequestItem, resting: int, result: ClientResult) -> None:
        reports = self._recorder.reports.get(item.mid, [])
        filled = sum(report.filled_size for report in reports)
        canceled = sum(report.canceled_size for report in reports)
        refused = item.msg.size if item.state is State.FAILED else 0
        result.acknowledged.append(item.mid)
        result.sent_size += item.msg.size
        result.filled_size += filled
        result.canceled_size += canceled
        result.refused_size += refused
        result.resting_size += resting
        result.wrong += item.msg.size != filled + canceled + refused + resting


def client_main(arguments: list[str]) -> None:
    """The client's process: ADDRESS SERVER_KEY CERTIFICATE ORDERS NUMBER SEED RESULT_FILE.

    Prints `connected` and waits for a line of input; prints `half` and `sent` and waits for another; then
    writes its ClientResult as JSON and ends.
    """
    address, server_key, certificate, orders, number, seed, result_file = arguments
    keys = KeyPair.load_certificate(certificate)
    recorder = Recorder()
    with Context(address, keys.private or b"", keys.public, server_key, recorder) as context:
        context.wait_connected(_TIMEOUT_S)
        print("connected", flush=True)
        sys.stdin.readline()
        client = Client(Commands(context), recorder, int(number), int(seed))
        client.send(int(orders))
        print("sent", flush=True)
        sys.stdin.readline()
        result = client.result()
    Path(result_file).write_text(json.dumps(asdict(result)), encoding="utf-8")


# ---------------------------------------------------------------------------- all of them


class _ClientProcess:
    def __init__(self, venue: VenueProcess, number: int, orders: int, seed: int, folder: Path) -> None:
        name = f"trader-{number}"
        keys = venue.trader(name)
        self._result = folder / f"{name}.json"
        certificate = folder / f"{name}.cert"
        keys.save_certificate(certificate)
        venue_is = (venue.address, venue.public_key.decode())
        arguments = [*venue_is, certificate, orders, number, seed, self._result]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ledgerx.testing.traders", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, word: str) -> None:
        """Wait for a line of the client's."""
        assert self._process.stdout is not None
        check(self._process.stdout.readline().strip() == word, f"a client said {word!r}")

    def go(self) -> None:
        """Have it begin to send."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def finish(self) -> ClientResult:
        """Have it count, and read what it counted."""
        self._process.communicate("count\n", timeout=_TIMEOUT_S)
        check(self._process.returncode == 0, "a client ended with code 0")
        return ClientResult(**json.loads(self._result.read_text(encoding="utf-8")))

    def kill(self) -> None:
        """End it, however far it is."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def run_traders(*, clients: int, orders: int, kill: bool, seed: int) -> TradersResult:
    """Trade `orders` orders in all from `clients` processes at once; verify; return the counts.

    With `kill` the venue is killed (SIGKILL) once when the first client has sent half, and started again.
    Raises VerificationFailed at the first thing that does not hold.
    """
    with tempfile.TemporaryDirectory(prefix="ledgerx-traders-") as scratch, VenueProcess() as venue:
        processes = [
            _ClientProcess(venue, number, orders // clients, seed, Path(scratch)) for number in range(clients)
        ]
        try:
            for process in processes:  # a client that connects after the kill sees no run change
                process.wait_for("connected")
            for process in processes:
                process.go()
            processes[0].wait_for("half")
            if kill:
                venue.kill()
                venue.start()
            for process in processes[1:]:
                process.wait_for("half")
            for process in processes:
                process.wait_for("sent")
            results = [process.finish() for process in processes]
        finally:
            for process in processes:
                process.kill()
        venue.stop()
        return _verified(results, venue.data_dir, kill)


def _verified(results: list[ClientResult], data_dir: Path, kill: bool) -> TradersResult:
    total = TradersResult(kills=int(kill))
    net: Counter[str] = Counter()
    for number, result in enumerate(results):
        check(result.wrong == 0, f"client {number}: sent = filled + canceled + refused + resting, each order")
        check(result.lost == 0, f"client {number}: the line of {result.sequences} has no hole")
        check(result.run_changes == int(kill), f"client {number}: {int(kill)} run changes")
        net.update(result.positions)
        total.acknowledged += len(result.acknowledged)
        for name in ("orders", "sequences", "lost", "run_changes"):
            setattr(total, name, getattr(total, name) + getattr(result, name))
        for name in ("sent_size", "filled_size", "canceled_size", "refused_size", "resting_size"):
            setattr(total, name, getattr(total, name) + getattr(result, name))
    check(not any(net.values()), f"positions sum to zero over the accounts: {dict(net)}")
    check(total.filled_size > 0, "something was traded")
    check(total.filled_size % 2 == 0, "each lot bought was sold")
    total.fills_size = total.filled_size // 2
    journaled = _journaled(data_dir)
    check(max(journaled.values()) == 1, "each mid was executed at most once")
    missing = [mid for result in results for mid in result.acknowledged if mid not in journaled]
    check(not missing, f"every acknowledged order is in the journal: {missing[:3]}")
    return total


def _journaled(data_dir: Path) -> Counter[str]:
    """How often each request stands in a stopped venue's journal, by mid."""
    journal = Journal.open(data_dir / "journal")
    try:
        inputs = (record.input for record in journal.records())
        requests = (
            wire.decode_message(one.request.message) for one in inputs if one.WhichOneof("kind") == "request"
        )
        return Counter(_mid(request) for request in requests)
    finally:
        journal.close()


def _mid(request: Any) -> str:
    return str(request.mid)


if __name__ == "__main__":
    client_main(sys.argv[1:])
