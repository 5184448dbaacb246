"""Two accounts trade one lot with each other. The venue's host may be given: HOST or HOST:PORT."""

import sys
from pathlib import Path

from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor


class Trader(MessageProcessor):
    def __init__(self, name):
        self.name = name
        self.contracts = []

    def say(self, text):
        print(f"{self.name}: {text}\n", end="")  # in one piece: two contexts print at once

    def handle_contract_detail(self, msg, prev_msg):
        self.contracts.append(msg)

    def handle_action_report(self, msg, prev_msg):
        what = msg.StatusType.Name(msg.status_type)
        price = msg.filled_price_in_cents or msg.price_in_cents
        self.say(f"{what} at {price} cents, {msg.size} open of {msg.original_size}")

    def handle_run_change(self, run_id, prev_run_id):
        self.say(f"run {run_id} follows {prev_run_id}, open orders are canceled")

    def handle_status_message(self, msg, prev_msg):
        if msg.status >= 400:
            self.say(f"refused with {msg.status}: {msg.message}")

    def handle_batch_message(self, msg, prev_msg): ...

    def handle_book_top(self, msg, prev_msg): ...

    def handle_book_state_snapshot(self, msg, prev_msg): ...

    def handle_heartbeat(self, msg, prev_msg): ...


def connect(trader):
    keys = KeyPair.load_certificate(f"{trader.name}.cert")
    return Context(host, keys.private, keys.public, Path("venue.key").read_text(), trader)


host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
alice, bob = Trader("alice"), Trader("bob")

with connect(alice) as alice_context, connect(bob) as bob_context:
    sell = get_cmd_version("0.0.1").Commands(alice_context)
    buy = get_cmd_version("0.0.1").Commands(bob_context)

    sell.get_contract(all_contracts=True).wait(timeout=10)
    contract = alice.contracts[0]
    print("trading", contract.label)

    terms = {"contract_id": contract.contract_id, "size": 1, "price_in_cents": 5000}
    ask = sell.limit_order(is_ask=True, **terms)
    bid = buy.limit_order(**terms)
    ask.wait(timeout=10)
    bid.wait(timeout=10)
    print("ask", ask.state.name, "bid", bid.state.name)
