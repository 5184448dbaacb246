"""The venue's TCP/TLS front: the streaming protocol's sessions on the same engine, journal and accounts.

    service.py      what the venue starts
    front.py        one thread: sockets, TLS and a session core each
    desk.py         the venue's end, on the venue's thread: logins, lines, quotes
    requests.py     payloads to requests of the trading protocol; reports.py the line's messages to payloads
    quotes.py       markets: their state and their book
    mids.py         what a request's mid carries
    credentials.py  passwords and tokens; certificate.py the venue's own certificate

The two threads give each other commands (commands.py) and share nothing else. A connection is link.py.
"""

from __future__ import annotations

from ledgerx.exchange.streaming.service import StreamingService, StreamingSettings

__all__ = ["StreamingService", "StreamingSettings"]
