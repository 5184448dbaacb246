"""Place an order and lose it to a restart of the exchange (manual, "Run Change example").

    EXCHANGE_CTE_FQDN=127.0.0.1 python run_change.py CERTIFICATE SERVER_KEY

Restart the venue while the program sleeps: the order's cancel report comes first, then the run change.
"""

import sys
import time
from random import choice

from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk import settings
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor

contracts = []
orders = []


class Trader(MessageProcessor):
    def handle_run_change(self, run_id, prev_run_id):
        # Everything that was open in the old run is canceled.
        orders.clear()
        print("run", prev_run_id, "ended, run", run_id, "began", flush=True)

    def handle_action_report(self, msg, prev_msg):
        print("report", msg.status_type, "open", msg.size, "after", type(prev_msg).__name__, flush=True)

    def handle_contract_detail(self, msg, prev_msg):
        contracts.append(msg)

    def handle_status_message(self, msg, prev_msg):
        print("status", msg.status, msg.message, flush=True)

    def handle_batch_message(self, msg, prev_msg):
        pass

    def handle_book_top(self, msg, prev_msg):
        pass

    def handle_book_state_snapshot(self, msg, prev_msg):
        pass

    def handle_heartbeat(self, msg, prev_msg):
        pass


class EntryID:
    """A callback that keeps the order's ID and its messages."""

    def __init__(self):
        self.entry_id = None

    def __call__(self, msg, prev_msg):
        self.entry_id = msg.mid
        orders.append(msg)


client_keypair = KeyPair.load_certificate(sys.argv[1])
server_public_key = sys.argv[2].encode()

context = Context(
    settings.EXCHANGE_CTE_FQDN, client_keypair.private, client_keypair.public, server_public_key, Trader
)
context.start()

cmd = get_cmd_version("0.0.1").Commands(context)
cmd.get_contract(all_contracts=True)
time.sleep(3)

if not contracts:
    print("no contracts came")
    context.join(1)
    raise SystemExit(1)

contract = choice(contracts)
entry = EntryID()
item = cmd.limit_order(size=1, price_in_cents=5000, contract_id=contract.contract_id)
item.callback = entry
time.sleep(3)

print(f"Order's ID: {entry.entry_id}", flush=True)
context.join(3)
