"""One course: a market, its faults step by step, then a network that is whole, then the checks."""

from __future__ import annotations

import hashlib
from collections import Counter

from ledgerx.clock import seeded_random
from ledgerx.errors import VerificationFailed
from ledgerx.testing.clock import VirtualClock
from ledgerx.testing.disk import SimulatedDisk, scratch_folder
from ledgerx.testing.link import Link
from ledgerx.testing.simulator.audit import audit
from ledgerx.testing.simulator.client import Client
from ledgerx.testing.simulator.faults import Faults
from ledgerx.testing.simulator.plan import Plan, make_plan
from ledgerx.testing.simulator.quiet import what_is_under_way
from ledgerx.testing.simulator.venue import VenueProcess

__all__ = ["Course", "SimulationFailed", "journal_digest", "simulate"]

_STEPS_S = (0.002, 0.01, 0.01, 0.05, 0.05, 0.3)
_SETTLE_S = 0.05
_SETTLE_STEPS_MAX = 1200


class SimulationFailed(VerificationFailed):
    """A promise that one seed found broken."""


class Course:
    """Everything that one seed makes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.counts: Counter[str] = Counter()
        self.clock = VirtualClock(f"world {plan.seed}")
        self.draw = seeded_random(f"course {plan.seed}")
        self.venue = VenueProcess(plan, self.clock.sibling(f"venue {plan.seed}"), self.counts)
        self.scratch = scratch_folder()
        self.faults = Faults(self)
        self.clients: list[Client] = []
        self.venue.on_data_lost = self._data_lost

    def run(self) -> None:
        """Trade through the faults, let the network heal, check."""
        keys = [f"{number:040d}" for number in range(max(self.plan.accounts) + 1)]
        self.venue.start(tuple((f"trader {number}", key) for number, key in enumerate(keys)))
        for number, account in enumerate(self.plan.accounts):
            client = Client(
                number,
                keys[account],
                self.scratch,
                self.plan,
                self.clock,
                self.venue.network,
                self.counts,
            )
            client.cid = account + 1
            self.clients.append(client)
        for _ in range(self.plan.steps):
            self._step()
        self.faults.heal()
        self._settle()
        audit(self)

    def _data_lost(self) -> None:
        """What was asked for until now may have been answered by a venue that nobody can ask any more."""
        for client in self.clients:
            for life in client.lives:
                for sent in life.sent:
                    sent.is_unsure = True

    def close(self) -> None:
        """Give back what the course holds."""
        if self.venue.running:
            self.venue.stop()
        for client in self.clients:
            client.life.stop()
        self.venue.disk.remove()
        SimulatedDisk(self.scratch).remove()

    def _step(self) -> None:
        self.clock.advance(self.draw.choice(_STEPS_S))
        self.faults.inject()
        now = self.clock.monotonic()
        for client in self.draw.sample(self.clients, len(self.clients)):
            if not client.step(now, self.plan.requests_in_step):
                self.faults.client_died(client)
        self._deliver(lambda: self.draw.randint(0, 6))
        if self.venue.running and not self.venue.turn():
            self.faults.venue_died()

    def _deliver(self, count: object) -> None:
        for link in list(self.venue.network.links.values()):
            if self.faults.stalls(link):
                continue
            if link.is_cut and link.up.flying and self._has_newer(link):
                self.counts["frames that came after the next connection"] += 1
            for pipe in (link.subscriptions, link.up, link.down, link.feed):
                pipe.deliver(count() if callable(count) else None)

    def _has_newer(self, link: Link) -> bool:
        """Whether the client that a cut link was of has another one by now, and said hello on it."""
        lives = (client.life for client in self.clients if client.key == link.key)
        return any(life.link is not link and life.up for life in lives)

    def _settle(self) -> None:
        """Until nothing is under way any more."""
        for step in range(_SETTLE_STEPS_MAX):
            self.clock.advance(_SETTLE_S)
            for client in self.clients:
                client.life.late_callbacks(all_of_them=step > 20)
                client.life.turn()
                client.life.dispatch(10**6)
            self._deliver(None)
            self.venue.turn()
            self._deliver(None)
            if step % 5 == 4 and not what_is_under_way(self):
                return
        raise VerificationFailed(
            f"after the network healed this is still under way: {what_is_under_way(self)}"
        )


def journal_digest(seed: int) -> str:
    """The SHA-256 of the journal that a seed's course writes: the same in every process."""
    course = Course(make_plan(seed))
    try:
        course.run()
        digest = hashlib.sha256()
        for record in course.venue.venue.journal.records():
            digest.update(record.SerializeToString(deterministic=True))
        return digest.hexdigest()
    finally:
        course.close()


def simulate(seed: int) -> Counter[str]:
    """Run one seed's course; what was exercised. Raises SimulationFailed."""
    course = Course(make_plan(seed))
    try:
        course.run()
    except Exception as error:
        raise SimulationFailed(
            f"seed {seed}: {type(error).__name__}: {error}\nagain: bin/simulate --seeds 1 --start {seed}"
        ) from error
    finally:
        course.close()
    return course.counts
