"""ledgerx: trade on an exchange from Python, and run the exchange on a laptop.

The surfaces are `ledgerx.sdk` (trading over ZeroMQ) and `ledgerx.exchange` (the venue). Nothing is
imported here, so that each costs only what it needs.
"""

__all__: list[str] = []
