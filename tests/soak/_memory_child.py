"""The two processes of the memory soak: `venue MIDS_MAX`, and `client READY MESSAGES EVERY ORDERS`."""

from __future__ import annotations

import collections
import json
import sys
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange import Exchange
from ledgerx.exchange.risk import default_limits
from ledgerx.orderflow.feeds.listener import Listener
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.context import Context

CONTRACT = 1


def venue(mids_max: int) -> None:
    """A venue that keeps few mids, with one account; it ends when it is killed."""
    limits = default_limits()
    limits.mids_max = mids_max
    with Exchange(limits=limits, http=False, snapshot_every=50_000) as exchange:
        keys = KeyPair.generate()
        exchange.add_account("alice", keys.public)
        assert keys.private is not None
        ready = {
            "address": f"{exchange.host}:{exchange.request_port}",
            "key": exchange.public_key.decode(),
            "private": keys.private.decode(),
            "public": keys.public.decode(),
        }
        print(json.dumps(ready), flush=True)
        sys.stdin.read()


class Counter(Listener):
    """Counts what is dispatched."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        self.counts["reports"] += 1

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        self.counts["statuses"] += 1
        self.counts["refusals"] += msg.status >= 400

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        self.counts["acknowledgements"] += len(msg.messages)


def client(ready: dict[str, str], messages: int, every: int, orders: int) -> None:
    """Batches of orders that rest and are canceled together, each begun when the one before is done."""
    processor = Counter()
    told = every
    private, public = ready["private"].encode(), ready["public"].encode()
    with Context(ready["address"], private, public, ready["key"], processor) as context:
        context.wait_connected(30)
        while True:
            wanted = [
                api.MessageLimitOrder(contract_id=CONTRACT, size=1, price_in_cents=100 * (1 + at % 50))
                for at in range(orders)
            ]
            _, items = context.submit_batch([*wanted, api.MessageCancelAll()])
            processor.counts["requests"] += len(items)
            assert items[-1].wait(timeout=60), items[-1]
            assert items[0].wait(timeout=60), items[0]
            total = sum(value for name, value in processor.counts.items() if name != "refusals")
            if total >= told or total >= messages:
                print(json.dumps({"messages": total, "counts": processor.counts}), flush=True)
                told += every
            if total >= messages:
                sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1] == "venue":
        venue(int(sys.argv[2]))
    else:
        client(json.loads(sys.argv[2]), *map(int, sys.argv[3:]))
