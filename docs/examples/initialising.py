"""Start a Context and see the exchange's heartbeat (manual, "Initializing Context Example").

EXCHANGE_CTE_FQDN=127.0.0.1 python initialising.py CERTIFICATE SERVER_KEY
"""

import sys
import threading

from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk import settings
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor

alive = threading.Event()


class Quiet(MessageProcessor):
    """Every handler must be there; this program needs one of them."""

    def handle_run_change(self, run_id, prev_run_id):
        pass

    def handle_action_report(self, msg, prev_msg):
        pass

    def handle_contract_detail(self, msg, prev_msg):
        pass

    def handle_status_message(self, msg, prev_msg):
        pass

    def handle_batch_message(self, msg, prev_msg):
        pass

    def handle_book_top(self, msg, prev_msg):
        pass

    def handle_book_state_snapshot(self, msg, prev_msg):
        pass

    def handle_heartbeat(self, msg, prev_msg):
        alive.set()


client_keypair = KeyPair.load_certificate(sys.argv[1])
server_public_key = sys.argv[2].encode()

context = Context(
    settings.EXCHANGE_CTE_FQDN, client_keypair.private, client_keypair.public, server_public_key, Quiet
)
context.start()
print("alive" if alive.wait(10) else "no heartbeat")
