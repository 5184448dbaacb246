"""The numbers one Context obeys: those of `ledgerx.sdk.settings` as they are when it is made, or others."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledgerx.sdk import settings
from ledgerx.sdk.link import LinkSettings
from ledgerx.sdk.outstanding import ResendSettings
from ledgerx.sdk.tracker import TrackerSettings

__all__ = ["ContextSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """What is not given is what `ledgerx.sdk.settings` says at that moment, under the same name.

    `_s` seconds, `_ms` milliseconds. `close_timeout_s` is how long `stop` takes at most to send what was
    submitted; `feed_backlog_max` how many public messages may wait for their handlers before the feed is
    left unread.
    """

    ack_timeout_s: float = field(default_factory=lambda: settings.ACK_TIMEOUT_S)
    connect_timeout_s: float = field(default_factory=lambda: settings.CONNECT_TIMEOUT_S)
    resend_max_age_s: float = field(default_factory=settings._resend_max_age_s)
    resend_min_s: float = field(default_factory=lambda: settings.RESEND_MIN_S)
    resend_max_s: float = field(default_factory=lambda: settings.RESEND_MAX_S)
    resend_jitter: float = field(default_factory=lambda: settings.RESEND_JITTER)
    heartbeat_interval_ms: int = field(default_factory=lambda: settings.HEARTBEAT_INTERVAL_MS)
    heartbeat_grace_ms: int = field(default_factory=lambda: settings.HEARTBEAT_GRACE_MS)
    window_messages: int = field(default_factory=lambda: settings.WINDOW_MESSAGES)
    close_timeout_s: float = 2.0
    feed_backlog_max: int = 10_000

    @property
    def tracker(self) -> TrackerSettings:
        """What the tracker needs of them."""
        return TrackerSettings(
            link=LinkSettings(
                connect_timeout_s=self.connect_timeout_s,
                reopen_min_s=self.resend_min_s,
                reopen_max_s=self.resend_max_s,
                jitter=self.resend_jitter,
                interval_s=self.heartbeat_interval_ms / 1000,
                grace_s=self.heartbeat_grace_ms / 1000,
            ),
            resend=ResendSettings(
                resend_min_s=self.resend_min_s,
                resend_max_s=self.resend_max_s,
                jitter=self.resend_jitter,
            ),
            window_messages=self.window_messages,
            resend_max_age_s=self.resend_max_age_s,
        )
