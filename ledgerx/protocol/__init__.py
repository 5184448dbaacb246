"""The wire: keys, sockets, and bytes to messages. Knows nothing of clients or venues."""

__all__: list[str] = []
