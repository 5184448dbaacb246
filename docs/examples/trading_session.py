"""List the contracts, bid for one of them, keep the order's ID (manual, "Trading Session Example").

EXCHANGE_CTE_FQDN=127.0.0.1 python trading_session.py CERTIFICATE SERVER_KEY
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


class Trader(MessageProcessor):
    def handle_run_change(self, run_id, prev_run_id):
        pass

    def handle_action_report(self, msg, prev_msg):
        print("report", msg.status_type, "open", msg.size, "after", type(prev_msg).__name__)

    def handle_contract_detail(self, msg, prev_msg):
        contracts.append(msg)

    def handle_status_message(self, msg, prev_msg):
        # First the acknowledgement of get_contract, then that of the order, then its acceptance.
        print("status", msg.status, msg.message)

    def handle_batch_message(self, msg, prev_msg):
        pass

    def handle_book_top(self, msg, prev_msg):
        print("top of", msg.contract_id, "is", msg.bid, "for", msg.bid_size)

    def handle_book_state_snapshot(self, msg, prev_msg):
        print("book of", msg.contract_id, "holds", len(msg.orders))

    def handle_heartbeat(self, msg, prev_msg):
        # Silence for longer than `interval_ms` and a grace would mean that the exchange is offline.
        print("next heartbeat within", msg.interval_ms, "ms")


class EntryID:
    """A callback that keeps the message ID, by which the exchange's book knows the order."""

    def __init__(self):
        self.entry_id = None

    def __call__(self, msg, prev_msg):
        self.entry_id = msg.mid


client_keypair = KeyPair.load_certificate(sys.argv[1])
server_public_key = sys.argv[2].encode()

context = Context(
    settings.EXCHANGE_CTE_FQDN, client_keypair.private, client_keypair.public, server_public_key, Trader
)
context.start()

cmd = get_cmd_version("0.0.1").Commands(context)
cmd.get_contract(all_contracts=True)
time.sleep(3)  # the contracts arrive on the dispatch thread

if not contracts:
    print("no contracts came")
    context.join(1)
    raise SystemExit(1)

contract = choice(contracts)
entry = EntryID()
item = cmd.limit_order(size=1, price_in_cents=5000, contract_id=contract.contract_id)
item.callback = entry  # set after the first answers may have come: it is given them all
time.sleep(3)

print(f"Order's ID: {entry.entry_id}")
context.join(3)
