"""Streaming: one sequenced, resumable TCP/TLS session, for a client and, with the other role, for a venue.

`client`, `exceptions` and `session` are the manual's modules. `framing` and `core` do no I/O.
"""

from __future__ import annotations

__all__: list[str] = []
