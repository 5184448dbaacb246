"""Places one order, keeps a table of its reports, and goes on where it ended if it is started again.

The venue's host may be given: HOST or HOST:PORT. With "stop" after it the program ends with its order open.
"""

import contextlib
import sqlite3
import sys
from pathlib import Path

from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore


class Bookkeeper(MessageProcessor):
    def handle_action_report(self, msg, prev_msg):
        with self.context.store.transaction() as db:  # committed with this message, or not at all
            db.execute(
                "INSERT INTO reports VALUES (?, ?, ?)",
                (msg.account_sequence, msg.mid, msg.size),
            )
        again = " (may have been told before)" if self.context.redelivered else ""
        print(f"{msg.StatusType.Name(msg.status_type)}: {msg.size} open{again}")

    def handle_run_change(self, run_id, prev_run_id):
        print(f"run {run_id} follows {prev_run_id}, open orders are canceled")

    def handle_status_message(self, msg, prev_msg):
        if msg.status >= 400:
            print(f"refused with {msg.status}: {msg.message}")

    def handle_contract_detail(self, msg, prev_msg): ...

    def handle_batch_message(self, msg, prev_msg): ...

    def handle_book_top(self, msg, prev_msg): ...

    def handle_book_state_snapshot(self, msg, prev_msg): ...

    def handle_heartbeat(self, msg, prev_msg): ...


host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
stop = "stop" in sys.argv[2:]
keys = KeyPair.load_certificate("trader.cert")
venue_key = Path("venue.key").read_text()

store = MessageIDStore("trader.store")  # requests that an earlier process left are in it
with contextlib.closing(sqlite3.connect("trader.store")) as db:
    db.execute("CREATE TABLE IF NOT EXISTS reports (sequence INTEGER PRIMARY KEY, mid, size)")

with Context(host, keys.private, keys.public, venue_key, Bookkeeper, store=store) as context:
    context.wait_connected(10)
    cmd = get_cmd_version("0.0.1").Commands(context)
    orders = [item for item in store.values() if item.state is State.OPEN]
    if orders:
        print("found again:", orders[0].msg.size, "at", orders[0].msg.price_in_cents)
    else:
        orders = [cmd.limit_order(contract_id=1, size=2, price_in_cents=100)]
        orders[0].wait(State.OPEN, timeout=10)
    if not stop:
        cmd.cancel_order(contract_id=1, entry_id=orders[0].mid).wait(timeout=10)
        print("order", orders[0].state.name)

with contextlib.closing(sqlite3.connect("trader.store")) as db:
    print("table:", db.execute("SELECT sequence, size FROM reports ORDER BY sequence").fetchall())
