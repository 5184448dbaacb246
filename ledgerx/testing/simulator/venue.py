"""The venue's process: the whole gateway on sockets in memory, on a folder that outlives it.

`turn` is one turn of its loop. A crash is armed for a point in a turn and leaves of the turn's writes what a
disk leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.follower import Follower
from ledgerx.exchange.gateway import Gateway
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.journal_pb2 import Limits
from ledgerx.exchange.keys import AccountKeys
from ledgerx.exchange.risk import default_limits
from ledgerx.exchange.venue import Venue
from ledgerx.testing.checks import check
from ledgerx.testing.clock import VirtualClock
from ledgerx.testing.disk import SimulatedDisk, scratch_folder
from ledgerx.testing.network import MemoryNetwork
from ledgerx.testing.simulator.mortal import ProcessCrash
from ledgerx.testing.simulator.plan import Plan

__all__ = ["CRASH_POINTS", "INTERVAL_MS", "VenueProcess", "contract_details"]

INTERVAL_MS = 1000

# Where in a turn a crash comes.
CRASH_POINTS = ("before the write", "torn write", "after the write", "while sending", "after the turn")


def contract_details(clock: VirtualClock, expiry_s: float) -> list[api.MessageContractDetail]:
    """Three contracts, of which the last expires."""
    return [
        api.MessageContractDetail(
            contract_id=number,
            label=f"BTC Future {number}",
            underlying="BTC",
            tick_in_cents=1,
            multiplier=10_000,
            min_size=1,
            max_size=1000,
            min_price_in_cents=1,
            max_price_in_cents=1_000_000,
            expiry=clock.wall_ns() + int(expiry_s * 1e9) if number == 3 else 0,
        )
        for number in (1, 2, 3)
    ]


def _tight_limits() -> Limits:
    limits = default_limits()
    limits.requests_per_second_max, limits.requests_burst_max = 20, 10
    limits.position_size_max, limits.open_orders_max = 30, 10
    return limits


class VenueProcess:
    """A venue that runs, crashes and starts again."""

    def __init__(self, plan: Plan, clock: VirtualClock, counts: Counter[str]) -> None:
        self.clock = clock
        self.counts = counts
        self.network = MemoryNetwork(frames_max=plan.frames_max)
        self.network.on_receive = self._on_receive
        self.network.on_send = self._on_send
        self.disk = SimulatedDisk(scratch_folder())
        self.on_data_lost: Callable[[], object] = lambda: None
        self._plan = plan
        self._contracts = contract_details(clock, plan.expiry_s)
        self._crash_at = ""
        self._crash_after = 0
        self._lost_data = False
        self._floor: dict[Path, int] = {}  # what certainly is on the disk of the journal's segments
        self._follower: Follower | None = None
        self._running: tuple[Venue, Gateway] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._running is not None

    @property
    def venue(self) -> Venue:
        """The venue of the process that lives."""
        assert self._running is not None
        return self._running[0]

    def start(self, names: tuple[tuple[str, str], ...] = ()) -> None:
        """Begin a run; `names` are the accounts to add, each with its key."""
        venue = Venue.open(
            self.disk.folder,
            clock=self.clock,
            contracts=self._contracts,
            limits=_tight_limits() if self._plan.tight_limits else None,
            sync="power" if self._plan.sync_power else "process",
            segment_bytes_max=self._plan.segment_bytes_max,
        )
        if venue.journal.recovery.cut_bytes:
            self.counts["torn tails cut"] += 1
        lost, self._lost_data = self._lost_data, False
        check(venue.journal.renewal_due == lost, "a venue changes its venue_id if and only if it lost data")
        for name, key in names:
            venue.add_account(name, key)
        venue.commit()
        venue.start_run()
        settings = GatewaySettings(
            interval_ms=INTERVAL_MS, window_messages=self._plan.window, turn_messages_max=200
        )
        gateway = Gateway(
            venue,
            self.network.router(),
            self.network.publisher(),
            AccountKeys(),
            settings=settings,
            clock=self.clock,
        )
        if self._plan.snapshot_records:
            self.counts["starts beside snapshots"] += any(self.disk.folder.glob("snapshots/*.snapshot"))
            records = self._plan.snapshot_records
            self._follower = Follower(self.disk.folder, snapshot_records=records)
        self._floor = self._floor or self._sizes()
        self._running = venue, gateway
        self.network.listening = True
        self.counts["runs"] += 1
        if self._crash_at:  # armed for the process before, which ended in order: this one's first turn has it
            self.disk.mark()

    def arm(self, point: str, after: int) -> None:
        """Have the next turn crash at one of CRASH_POINTS, at the `after`-th chance there.

        If the process ends in order before that, the crash comes in the first turn of the next one.
        """
        self._crash_at, self._crash_after = point, after
        self.disk.mark()

    def disarm(self) -> None:
        """Have no crash any more."""
        self._crash_at = ""

    def turn(self) -> bool:
        """One turn of the loop; False if the process crashed in it."""
        assert self._running is not None
        point = self._crash_at
        try:
            self._running[1].turn()
            if not point:
                self._follow()
                return True
        except ProcessCrash:
            pass
        self._crash_at = ""
        self._die(point)
        return False

    def _follow(self) -> None:
        """The follower's process goes on, when its turn comes."""
        follower = self._follower
        if follower is not None and self.clock.random() < 0.3:
            taken = follower.snapshots
            follower.step()
            if follower.snapshots > taken:
                self.counts["snapshots"] += 1
                self._floor = self._sizes()

    def _sizes(self) -> dict[Path, int]:
        return {path: path.stat().st_size for path in sorted(self.disk.folder.glob("journal/*.journal"))}

    def stop(self) -> None:
        """End in order."""
        self._end(orderly=True)

    def _die(self, point: str) -> None:
        self._end(orderly=False)
        self._damage_snapshot()
        self.counts[f"venue crashes {point}"] += 1
        if point == "torn write" and self.disk.growth():
            self.counts["torn writes"] += bool(self.disk.tear(self.clock.random))
        elif self._plan.loses_data and self.clock.random() < 0.7:
            self._lose_data()
        elif self._plan.sync_power and self.clock.random() < 0.5:
            self.disk.cut_power(self.clock.random)
            self.counts["power cuts"] += 1

    def _damage_snapshot(self) -> None:
        """A snapshot may be unreadable: the one before serves, or the journal alone."""
        snapshots = sorted(self.disk.folder.glob("snapshots/*.snapshot"))
        if snapshots and self.clock.random() < 0.2:
            data = snapshots[-1].read_bytes()
            snapshots[-1].write_bytes(data[: int(self.clock.random() * len(data))])
            self.counts["snapshots damaged"] += 1

    def _lose_data(self) -> None:
        """The machine went down: the end of the journal had left the venue and never reached the disk."""
        path, size = list(self._sizes().items())[-1]
        left = max(self._floor.get(path, 0), size - 1 - int(self.clock.random() * 3000))
        if left < size:
            with path.open("r+b") as file:
                file.truncate(left)
            self._lost_data = True
            self.counts["venues that lost data"] += 1
            self.on_data_lost()

    def _end(self, *, orderly: bool) -> None:
        assert self._running is not None
        venue, gateway = self._running
        self._running = None
        self.counts["duplicates"] += venue.counts["repeats"]
        self.counts["trades"] += venue.counts["trades"]
        self.counts["frames refused by full sockets"] += self.network.blocked
        self.network.blocked = 0
        gateway.close()
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        if not orderly:
            venue.journal.abandon()
        venue.close()
        self.network.listening = False
        for link in list(self.network.links.values()):
            link.cut()
            link.venue_noticed = True
            self.network.forget(link)

    # ------------------------------------------------------------------ chances to crash

    def _on_receive(self) -> None:
        if self._crash_at == "before the write":
            self._crash_after -= 1
            if self._crash_after < 0:
                raise ProcessCrash

    def _on_send(self) -> None:
        venue = self._running[0] if self._running else None
        if venue is not None:
            check(
                venue.journal.committed == venue.journal.last_number,
                "nothing leaves before the record that caused it is written",
            )
        if self._crash_at in ("torn write", "after the write"):
            raise ProcessCrash
        if self._crash_at == "while sending":
            self._crash_after -= 1
            if self._crash_after < 0:
                raise ProcessCrash
