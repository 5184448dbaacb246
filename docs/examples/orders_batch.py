"""Send ten orders in one message (manual, "Orders Batch Example").

EXCHANGE_CTE_FQDN=127.0.0.1 python orders_batch.py CERTIFICATE SERVER_KEY
"""

import sys
import time
from random import choice

from ledgerx.api.client import v0_0_1 as api
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
        pass  # each order's callback gets its reports too

    def handle_contract_detail(self, msg, prev_msg):
        contracts.append(msg)

    def handle_status_message(self, msg, prev_msg):
        pass

    def handle_batch_message(self, msg, prev_msg):
        print("acknowledged", len(msg.messages), "orders")

    def handle_book_top(self, msg, prev_msg):
        pass

    def handle_book_state_snapshot(self, msg, prev_msg):
        pass

    def handle_heartbeat(self, msg, prev_msg):
        pass


class OrderResponses:
    """A callback for one order: statuses tell whether it was accepted, reports what became of it."""

    def __call__(self, msg, prev_msg):
        if not isinstance(msg, api.MessageStatus):
            return
        if msg.status == api.MessageStatus.STATUS_ORDER_SUCCESS:
            print(f"Order {msg.mid} placed successfully")
        else:
            print(f"Order {msg.mid} failed with code {msg.status}")


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

orders = []
for _ in range(10):  # a batch may mix kinds of requests; these are all orders
    order = api.MessageLimitOrder()
    order.size = 1
    order.price_in_cents = 100
    order.contract_id = choice(contracts).contract_id
    orders.append(order)

batch_item, items = cmd.batch(messages=orders)
for number, item in enumerate(items):
    item.callback = OrderResponses()
    print(f"Order no.{number} ID: {item.msg.mid}")

time.sleep(2)
context.join(3)
