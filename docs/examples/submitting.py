"""Send one request and handle what comes back (manual, "Submitting and Handling Messages Example").

    EXCHANGE_CTE_FQDN=127.0.0.1 python submitting.py CERTIFICATE SERVER_KEY

The order has no fields, so the exchange answers which ones it misses. `join` waits until the program
is interrupted (Ctrl-C).
"""

import sys

from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk import settings
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor


class Printer(MessageProcessor):
    def handle_run_change(self, run_id, prev_run_id):
        """Orders of the old run are gone: forget them here."""

    def handle_action_report(self, msg, prev_msg):
        """The first report of an order comes with the order as `prev_msg`."""

    def handle_contract_detail(self, msg, prev_msg):
        pass

    def handle_status_message(self, msg, prev_msg):
        print(msg.status, msg.message or "acknowledged", flush=True)

    def handle_batch_message(self, msg, prev_msg):
        """The acknowledgements of a batch's members come here, in `msg.messages`."""

    def handle_book_top(self, msg, prev_msg):
        pass

    def handle_book_state_snapshot(self, msg, prev_msg):
        pass

    def handle_heartbeat(self, msg, prev_msg):
        pass


client_keypair = KeyPair.load_certificate(sys.argv[1])
server_public_key = sys.argv[2].encode()

context = Context(
    settings.EXCHANGE_CTE_FQDN, client_keypair.private, client_keypair.public, server_public_key, Printer
)
context.start()

cmd = get_cmd_version("0.0.1").Commands(context)
cmd.limit_order()

try:
    context.join()
except KeyboardInterrupt:
    print("interrupted")
