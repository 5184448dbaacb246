"""What a client may set: the venues' names, the ports, and the protocol's numbers.

A program changes a number by assigning it here before it makes a Context. Units are in the names: _S
seconds, _MS milliseconds. (Manual, "Setting Variables and Configurations".)
"""

from __future__ import annotations

import os

from ledgerx.protocol.ports import HTTP_PORT, PUBLISH_PORT, REQUEST_PORT, STREAMING_PORT
from ledgerx.protocol.wire import BATCH_REQUESTS_MAX, FRAME_BYTES_MAX

__all__ = [
    "ACK_TIMEOUT_S",
    "BATCH_REQUESTS_MAX",
    "CONNECT_TIMEOUT_S",
    "EXCHANGE_CTE_FQDN",
    "EXCHANGE_TRADE_FQDN",
    "FRAME_BYTES_MAX",
    "HEARTBEAT_GRACE_MS",
    "HEARTBEAT_INTERVAL_MS",
    "HTTP_PORT",
    "PUBLISH_PORT",
    "REQUEST_PORT",
    "RESEND_JITTER",
    "RESEND_MAX_AGE",
    "RESEND_MAX_AGE_S",
    "RESEND_MAX_S",
    "RESEND_MIN_S",
    "STREAMING_PORT",
    "WINDOW_MESSAGES",
]

#: The customer test environment, as HOST or HOST:PORT. The environment variable of the same name, read
#: at import, replaces it: EXCHANGE_CTE_FQDN=127.0.0.1 is a venue on this machine.
EXCHANGE_CTE_FQDN: str = os.environ.get("EXCHANGE_CTE_FQDN") or "test.ledgerx.com"

#: The live market. The environment variable of the same name, read at import, replaces it.
EXCHANGE_TRADE_FQDN: str = os.environ.get("EXCHANGE_TRADE_FQDN") or "trade.ledgerx.com"

#: How long a submit waits for its ACK to arrive before it returns the item as still SENT.
ACK_TIMEOUT_S: float = 5.0

#: How long a connection may take to be answered before it is reported as failed.
CONNECT_TIMEOUT_S: float = 5.0

#: How old a trade request may be, by the venue's clock, when it arrives: the default of its `expires`.
RESEND_MAX_AGE_S: float = 60.0

#: The same number under the name that the protocol's page uses; assigning either of the two works.
RESEND_MAX_AGE: float = RESEND_MAX_AGE_S
_resend_max_age_unchanged: float = RESEND_MAX_AGE


def _resend_max_age_s() -> float:
    """The one of the two that was assigned."""
    return RESEND_MAX_AGE_S if _resend_max_age_unchanged == RESEND_MAX_AGE else RESEND_MAX_AGE


#: The pause before the first resend of a request without ACK; it doubles from resend to resend.
RESEND_MIN_S: float = 0.1

#: The longest pause between two resends.
RESEND_MAX_S: float = 5.0

#: The share by which a pause is made longer or shorter at random, so that clients do not resend at once.
RESEND_JITTER: float = 0.2

#: How often client and venue say that they are alive.
HEARTBEAT_INTERVAL_MS: int = 1000

#: How much later than its interval a heartbeat may come before the venue counts as offline.
HEARTBEAT_GRACE_MS: int = 500

#: How many messages the venue sends beyond the last one that the client said it dispatched.
WINDOW_MESSAGES: int = 10_000
