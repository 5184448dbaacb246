"""The gateway's numbers in one place. Tests use small ones."""

from __future__ import annotations

from dataclasses import dataclass

from ledgerx.protocol.wire import FRAME_BYTES_MAX

__all__ = ["GatewaySettings"]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What bounds a turn, a connection, and what waits for it.

    `interval_ms` is the heartbeats' interval; a connection of which nothing came for
    `heartbeats_missed_max` of them is forgotten. `window_messages` is how far a line is sent beyond what the
    client dispatched. `turn_...` end the receiving part of a turn; while `inbox_bytes_max` of frames wait,
    no more are taken from the socket. `idle_messages_max` bounds what one connection may send in an interval
    that asks for nothing (undecodable, before a hello, empty frames, hellos): one above it is cut. `send_`,
    `receive_` and `publish_frames_max` are the sockets' high-water marks, a client each.
    """

    interval_ms: int = 1000
    heartbeats_missed_max: int = 3
    window_messages: int = 10_000
    turn_messages_max: int = 1000
    turn_s: float = 0.005
    turn_bytes_max: int = 16 * 1024 * 1024
    inbox_bytes_max: int = FRAME_BYTES_MAX
    line_frame_bytes_max: int = FRAME_BYTES_MAX // 4
    outbox_bytes_max: int = 32 * 1024 * 1024
    idle_messages_max: int = 1000
    account_connections_max: int = 64
    send_frames_max: int = 100
    receive_frames_max: int = 1000
    publish_frames_max: int = 10_000

    @property
    def interval_s(self) -> float:
        """The heartbeats' interval in seconds."""
        return self.interval_ms / 1000
