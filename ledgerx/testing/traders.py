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
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import seeded_random
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.testing.checks import check
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.recorder import Recorder
from ledgerx.testing.traders_check import (
    ClientResult,
    TradersResult,
    fingerprint,
    net_fills,
    trader_name,
    verify_traders,
)

__all__ = ["run_traders", "trade"]

_TIMEOUT_S = 60.0
_IN_FLIGHT_MAX = 200  # orders of one client that are not acknowledged yet
_CONTRACTS = 3
_PAGE_MESSAGES = 5_000  # of a replay; an item keeps no more than 10,000 answers


# ---------------------------------------------------------------------------- one client


class Client:
    """One trading program: random orders, pipelined, every one of them followed to its end."""

    def __init__(self, commands: Commands, recorder: Recorder, number: int, seed: int) -> None:
        self._commands = commands
        self._recorder = recorder
        self._number = number
        self._random = seeded_random(f"{seed} {number}")
        self.items: list[RequestItem] = []
        self.cancels: list[RequestItem] = []

    def send(self, count: int) -> None:
        """Send `count` orders, a few of them canceled again, and wait for every ACK."""
        for number in range(count):
            self.items.append(self._order())
            if number == count // 2:
                self._half(count)
            if number % 7 == 0:
                target = self._random.choice(self.items)
                self.cancels.append(
                    self._commands.cancel_order(target.msg.contract_id, target.mid, wait=False)
                )
            if number >= _IN_FLIGHT_MAX:
                held = self.items[number - _IN_FLIGHT_MAX].wait(State.ACKNOWLEDGED, _TIMEOUT_S)
                check(held or self.items[number - _IN_FLIGHT_MAX].finished, "an order was acknowledged")
        for item in self.items + self.cancels:
            check(item.wait(State.ACKNOWLEDGED, _TIMEOUT_S) or item.finished, f"{item.mid} was acknowledged")

    def _half(self, count: int) -> None:
        """Say that half was sent and some of it carried out; the first client then waits for a word.

        So that a kill at its "half" has requests before it, requests in flight, and requests after it.
        """
        check(self.items[count // 4].wait(State.ACKNOWLEDGED, _TIMEOUT_S), "a quarter was acknowledged")
        print("half", flush=True)
        if self._number == 0:
            sys.stdin.readline()

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
        recorder = self._recorder
        recorder.wait_for(lambda: not head or recorder.sequences[-1] >= head, "the line came to its head")
        positions = self._commands.get_positions()
        check(positions.wait(timeout=_TIMEOUT_S), "the positions came")
        result = ClientResult(
            orders=len(self.items),
            cancels=len(self.cancels),
            sent=[item.mid for item in self.items + self.cancels],
            acknowledged=recorder.acknowledged,
            positions={
                str(a.contract_id): a.size for a in positions.answers if isinstance(a, api.MessagePosition)
            },
            net_fills=net_fills(recorder.reports),
            lost=recorder.lost(),
            line=[fingerprint(recorder.line.get(number)) for number in range(1, head + 1)],
            replayed=[fingerprint(message) for message in self._replayed(head)],
            run_changes=len(recorder.run_changes),
        )
        for item in self.items:
            self._add(item, open_sizes.get(item.mid, 0), result)
        return result

    def _replayed(self, head: int) -> list[Any]:
        """What the venue has stored of the account's line, page by page up to `head`."""
        copies: list[Any] = []
        start = 1
        while start and start <= head:
            page = self._commands.replay(start, min(start + _PAGE_MESSAGES - 1, head))
            check(page.wait(timeout=_TIMEOUT_S), "a page of the replay came")
            copies += [answer for answer in page.answers if answer.account_sequence]
            start = page.answers[-1].next or start + _PAGE_MESSAGES
        check(
            [copy.account_sequence for copy in copies] == list(range(1, head + 1)),
            f"a replay gives every message from 1 to {head}, once and in order",
        )
        return copies

    def _add(self, item: RequestItem, resting: int, result: ClientResult) -> None:
        reports = self._recorder.reports.get(item.mid, [])
        filled = sum(report.filled_size for report in reports)
        canceled = sum(report.canceled_size for report in reports)
        refused = item.msg.size if item.state is State.FAILED else 0
        result.sent_size += item.msg.size
        result.filled_size += filled
        result.canceled_size += canceled
        result.refused_size += refused
        result.resting_size += resting
        result.wrong += item.msg.size != filled + canceled + refused + resting


def client_main(arguments: list[str]) -> None:
    """The client's process: ADDRESS SERVER_KEY CERTIFICATE ORDERS NUMBER SEED RESULT_FILE.

    Prints `connected` and waits for a line of input; prints `half`, where NUMBER 0 waits for another, then
    `sent`, and waits; then writes its ClientResult as JSON and ends.
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
        name = trader_name(number)
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
        """Have it go on."""
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
    with VenueProcess() as venue:
        results = trade(venue, clients=clients, orders=orders, kill=kill, seed=seed)
        venue.stop()
        return verify_traders(results, venue.data_dir, kills=int(kill))


def trade(venue: VenueProcess, *, clients: int, orders: int, kill: bool, seed: int) -> list[ClientResult]:
    """The trading of `run_traders` alone, on a venue that no one else trades on: what each client says."""
    with tempfile.TemporaryDirectory(prefix="ledgerx-traders-") as scratch, ExitStack() as undo:
        processes = []
        for number in range(clients):
            process = _ClientProcess(venue, number, orders // clients, seed, Path(scratch))
            undo.callback(process.kill)
            processes.append(process)
        for process in processes:  # a client that connects after the kill sees no run change
            process.wait_for("connected")
        for process in processes:
            process.go()
        processes[0].wait_for("half")
        if kill:
            venue.kill()
            venue.start()
        processes[0].go()
        for process in processes[1:]:
            process.wait_for("half")
        for process in processes:
            process.wait_for("sent")
        return [process.finish() for process in processes]


if __name__ == "__main__":
    client_main(sys.argv[1:])
