"""What goes wrong in a course, by chance: links, the feed, processes, disks, clocks, slow handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ledgerx.protocol import wire
from ledgerx.testing.link import Link
from ledgerx.testing.simulator.client import Client
from ledgerx.testing.simulator.venue import CRASH_POINTS

if TYPE_CHECKING:
    from ledgerx.testing.simulator.course import Course

__all__ = ["Faults"]


class Faults:
    """Injects them; `heal` ends them all."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._counts = course.counts
        self._venue_down_until: float | None = None
        self._doomed: list[tuple[float, Link]] = []  # when a client notices that a link was cut
        self._stalled: dict[bytes, float] = {}
        self._kinds: dict[str, Callable[[], None]] = {
            "cut": self._cut,
            "half open": self._half_open,
            "middle range": self._middle_range,
            "stall": self._stall,
            "feed message": self._feed_message,
            "feed range": self._feed_range,
            "venue crash": self._venue_crash,
            "venue restart": self._venue_restart,
            "client crash": self._client_crash,
            "client restart": self._client_restart,
            "clock jump": self._clock_jump,
            "pause": self._pause,
            "slow handler": self._slow_handler,
        }

    @property
    def _now(self) -> float:
        return self._course.clock.monotonic()

    def inject(self) -> None:
        """What the time has come for, and by chance something new."""
        draw = self._course.draw
        for name, rate in self._course.plan.faults.items():
            if draw.random() < rate:
                self._kinds[name]()
        self._time_passes()

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        self._venue_down_until = self._now if self._venue_down_until is not None else None
        self._stalled.clear()
        self._course.venue.disarm()
        self._time_passes()
        for client in self._course.clients:
            client.paused_until = client.slow_until = 0.0
            client.life.running = False
            client.life.dies_after = None
        if self._course.draw.random() < 0.4:  # the last trade before a quiet hour
            for link in self._course.venue.network.links.values():
                self._counts["feed tails lost"] += link.feed.lose(0, len(link.feed.flying)) > 0

    def stalls(self, link: Link) -> bool:
        """Whether nothing arrives on a link for now."""
        return bool(self._stalled) and self._stalled.get(link.routing_id, 0.0) > self._now

    def venue_died(self) -> None:
        """The venue's process is gone; its peers notice, most of them at once."""
        course = self._course
        self._venue_down_until = self._now + course.draw.choice([0.0, 0.1, 1.0, 4.0])
        for client in course.clients:
            link = client.life.link
            if link is not None:
                link.cut()
                self._notice(link, course.draw.choice([0.0, 0.0, 0.5]))

    def _time_passes(self) -> None:
        if self._venue_down_until is not None and self._now >= self._venue_down_until:
            self._venue_down_until = None
            self._course.venue.start()
        due = [link for at, link in self._doomed if at <= self._now]
        self._doomed = [(at, link) for at, link in self._doomed if at > self._now]
        for link in due:
            link.client_noticed = True

    def _notice(self, link: Link, after_s: float) -> None:
        self._doomed.append((self._now + after_s, link))

    def _live_link(self) -> Link | None:
        links = [link for link in self._course.venue.network.links.values() if not link.is_cut]
        return self._course.draw.choice(links) if links else None

    # ------------------------------------------------------------------ the network

    def _cut(self) -> None:
        link, draw = self._live_link(), self._course.draw
        if link is None:
            return
        if link.up.flying or link.down.flying:
            self._counts["cuts that lost frames"] += 1
        link.cut(kept_up=draw.choice([0, 1, 2, 5]), kept_down=draw.choice([0, 0, 1, 2]))
        if link.up.flying:
            self._counts["strays"] += 1
            if draw.random() < 0.5:  # they come after the frames of the next connection
                self._stalled[link.routing_id] = self._now + draw.choice([0.3, 1.0])
        self._counts["cuts"] += 1
        link.venue_noticed = draw.random() < 0.5
        self._notice(link, draw.choice([0.0, 0.0, 0.1, 1.0]))

    def _half_open(self) -> None:
        link = self._live_link()
        if link is not None:
            link.cut()
            link.venue_noticed = self._course.draw.random() < 0.3
            self._counts["half-open connections"] += 1

    def _middle_range(self) -> None:
        """A range of an account's line is lost within a connection; what has no number is not."""
        links = [link for link in self._course.venue.network.links.values() if not link.is_cut]
        draw = self._course.draw
        for link in draw.sample(links, len(links)):
            numbered = [_is_line(frame) for frame in link.down.flying]
            if True in numbered[:-1]:
                first = numbered.index(True)
                count = [*numbered[first:], False].index(False)
                link.down.lose(first, min(count, draw.randint(1, 3)))
                self._counts["middle ranges lost"] += 1
                return

    def _stall(self) -> None:
        link, draw = self._live_link(), self._course.draw
        if link is not None:
            self._stalled[link.routing_id] = self._now + draw.choice([0.3, 1.0, 4.0, 6.0])
            self._counts["stalls"] += 1

    def _feed_message(self) -> None:
        link, draw = self._live_link(), self._course.draw
        if link is not None and link.feed.flying:
            self._counts["feed messages lost"] += link.feed.lose(draw.randrange(len(link.feed.flying)), 1)

    def _feed_range(self) -> None:
        link, draw = self._live_link(), self._course.draw
        if link is not None and len(link.feed.flying) > 1:
            first = draw.randrange(len(link.feed.flying))
            self._counts["feed ranges lost"] += link.feed.lose(first, draw.randint(2, 50)) > 1

    # ------------------------------------------------------------------ the processes

    def _venue_crash(self) -> None:
        course = self._course
        if course.venue.running:
            course.venue.arm(course.draw.choice(CRASH_POINTS), course.draw.randrange(4))

    def _venue_restart(self) -> None:
        if self._course.venue.running:
            self._course.venue.stop()
            self._counts["venue stops"] += 1
            self.venue_died()

    def _client_crash(self) -> None:
        draw = self._course.draw
        client = draw.choice(self._course.clients)
        if client.path is not None and draw.random() < 0.7:
            client.life.dies_after = draw.randrange(8)  # before or after a write of its file
        else:
            self.client_died(client)

    def client_died(self, client: Client) -> None:
        """The client's process is gone; what it leaves on its link may arrive."""
        self._left(client.crash())
        self._counts["client crashes"] += 1
        self._counts["client crashes with a file"] += client.path is not None

    def _client_restart(self) -> None:
        self._left(self._course.draw.choice(self._course.clients).crash(orderly=True))
        self._counts["client stops"] += 1

    def _left(self, link: Link | None) -> None:
        if link is not None and not link.is_cut:
            link.cut(kept_up=self._course.draw.choice([0, 1, 3]))
            link.venue_noticed = self._course.draw.random() < 0.5

    def _clock_jump(self) -> None:
        draw = self._course.draw
        self._course.venue.clock.jump(draw.choice([-3600.0, -30.0, -1.0, 1.0, 30.0, 3600.0]))
        self._counts["clock jumps"] += 1

    def _pause(self) -> None:
        draw = self._course.draw
        draw.choice(self._course.clients).paused_until = self._now + draw.choice([1.0, 5.0, 8.0])
        self._counts["pauses"] += 1

    def _slow_handler(self) -> None:
        draw = self._course.draw
        draw.choice(self._course.clients).slow_until = self._now + draw.choice([1.0, 3.0, 8.0])
        self._counts["slow handlers"] += 1


def _is_line(data: bytes) -> bool:
    """Whether a frame holds numbered messages alone, in the line's own order."""
    frame = wire.decode_frame(data)
    if frame.replayed:
        return False
    messages = [wire.decode_message(encoded) for encoded in frame.messages]
    return all(getattr(message, "account_sequence", 0) for message in messages)
