"""A venue with 10,000,000 journaled messages starts in 5 s: written, snapshotted by the follower, opened.

Messages are requests of clients, in batches of 200, and single ones after them; what the venue answers is
journaled with them and not counted. The tail behind the newest snapshot is as long as it gets: the follower
is stopped just before the next one is due.
"""

from __future__ import annotations

import argparse
import gc
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import SYSTEM_CLOCK, seeded_random
from ledgerx.exchange.follower import SNAPSHOT_BYTES, SNAPSHOT_RECORDS
from ledgerx.exchange.follower_process import FollowerProcess
from ledgerx.exchange.journal_tail import JournalTail
from ledgerx.exchange.risk import default_limits
from ledgerx.exchange.segments import journal_folder
from ledgerx.exchange.snapshot_files import list_snapshots, load_snapshot, snapshot_path
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.wire import BATCH_REQUESTS_MAX, encode_message, envelope

START_S_MAX = 5.0
ACCOUNTS = 8
CONTRACTS = [
    api.MessageContractDetail(
        contract_id=number,
        label=f"Future {number}",
        tick_in_cents=1,
        multiplier=1,
        min_size=1,
        max_size=1000,
        min_price_in_cents=1,
        max_price_in_cents=10_000,
    )
    for number in range(1, 5)
]
OPEN = """
import resource, sys, time
from ledgerx.exchange.venue import Venue
begun = time.perf_counter()
venue = Venue.open(sys.argv[1])
opened = time.perf_counter()
venue.start_run()
started = time.perf_counter()
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(opened - begun, started - opened, venue.recovered_from, venue.journal.committed,
      sum(a.head for a in venue.engine.accounts.values()), rss)
venue.close()
"""


class Traffic:
    """Orders of several accounts that meet one another, with cancels; from a seed."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self._venue = venue
        self._numbers = seeded_random(seed)
        self._cids = [venue.add_account(f"a{n}", KeyPair.generate().public).cid for n in range(ACCOUNTS)]
        venue.commit()
        self._contracts = list(venue.engine.contracts)
        self._turn = 0
        self.messages = 0

    def batch(self, members: int) -> None:
        """One batch of orders, of the account whose turn it is."""
        numbers, time_ns = self._numbers, self._venue.time
        bits = numbers.getrandbits
        batch = api.MessageBatch(mid=f"{bits(128):032x}", timestamp=time_ns)
        for _ in range(members):
            price = 1000 + bits(4)
            order = api.MessageLimitOrder(
                mid=f"{bits(128):032x}",
                timestamp=time_ns,
                contract_id=self._contracts[bits(2)],
                size=1 + bits(2),
                price_in_cents=price,
                is_ask=bool(self._turn & 1),
                time_in_force=api.MessageLimitOrder.IOC if bits(3) else api.MessageLimitOrder.GTC,
            )
            batch.requests.append(envelope(order))
        self._send(batch)
        self.messages += members

    def cancel_all(self) -> None:
        """All of one account's orders go, so that the books stay small."""
        mid = f"{self._numbers.getrandbits(128):032x}"
        self._send(api.MessageCancelAll(mid=mid, timestamp=self._venue.time))
        self.messages += 1

    def _send(self, message: api.AnyMessage) -> None:
        cid = self._cids[self._turn % ACCOUNTS]
        self._turn += 1
        self._venue.request(cid, encode_message(message))


def build(folder: Path, seed: int, wanted: int, singles: int, follower: FollowerProcess) -> tuple[int, int]:
    """Write the journal, the follower behind; how many messages and records."""
    limits = default_limits()
    limits.requests_per_second_max = limits.requests_burst_max = 10**9
    limits.position_size_max = 10**12
    venue = Venue.open(folder, limits=limits, contracts=CONTRACTS)
    venue.start_run()
    follower.start()
    traffic = Traffic(venue, seed)
    begun = shown = time.perf_counter()
    while traffic.messages < wanted:
        for _ in range(4):
            traffic.batch(BATCH_REQUESTS_MAX)
        traffic.cancel_all()
        venue.commit()
        if time.perf_counter() - shown > 30:
            shown = time.perf_counter()
            print(f"  {traffic.messages:,} messages, {shown - begun:.0f} s", flush=True)
    for _ in range(singles):
        traffic.batch(1)
        venue.commit()
    counts = traffic.messages, venue.journal.committed
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"written: {counts[0]:,} messages in {counts[1]:,} records, {venue.journal.end / 1e9:.2f} GB,"
        f" {sum(a.head for a in venue.engine.accounts.values()):,} messages in lines,"
        f" {len(venue.engine._mids):,} mids, {time.perf_counter() - begun:.0f} s, peak {memory} MiB",
        flush=True,
    )
    venue.close()
    return counts


def follow(folder: Path, last: int, follower: FollowerProcess) -> None:
    """Let the follower's process come to the journal's end."""
    begun = SYSTEM_CLOCK.monotonic()
    print(f"the follower is {last - follower.number:,} records behind", flush=True)
    while follower.number < last:
        assert not follower.counts["divergences"], "the journal diverges"
        assert not follower.counts["failures"], "the follower failed"
        threading.Event().wait(0.2)
    follower.stop()
    newest = load_snapshot(snapshot_path(folder, list_snapshots(folder)[-1]))
    size = snapshot_path(folder, newest.position.number).stat().st_size
    print(
        f"followed: {follower.counts['snapshots']} snapshots, the newest {size / 1e6:.1f} MB after record"
        f" {newest.position.number:,}, {SYSTEM_CLOCK.monotonic() - begun:.0f} s more",
        flush=True,
    )


def last_record(folder: Path) -> int:
    """The last record of a journal that another run of this has written."""
    tail = JournalTail.at(journal_folder(folder), 2**63)
    for _tailed in tail.read(2**31):
        pass
    tail.close()
    return tail.number


def orders(folder: Path) -> int:
    """How many orders the newest snapshot says were accepted: the least that there were messages."""
    return load_snapshot(snapshot_path(folder, list_snapshots(folder)[-1])).order_id


def start_seconds(folder: Path) -> float:
    """Start the venue in a process of its own."""
    command = [sys.executable, "-c", OPEN, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    open_s, run_s, snapshot, records, messages, rss = result.stdout.split()
    total = float(open_s) + float(run_s)
    print(
        f"started: open {float(open_s):.2f} s + run {float(run_s):.2f} s = {total:.2f} s,"
        f" from the snapshot after record {int(snapshot):,} of {int(records):,}"
        f" ({int(records) - int(snapshot):,} executed again), {int(messages):,} messages in lines,"
        f" peak {rss} MiB",
        flush=True,
    )
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--singles", type=int, default=20_000, help="single orders after the batches")
    parser.add_argument("--folder", type=Path, help="keep the data folder here")
    parser.add_argument("--resume", action="store_true", help="take the journal that is in --folder")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="ledgerx-startup-"))
    try:
        follower = FollowerProcess(folder, SNAPSHOT_RECORDS)
        if options.resume:
            messages, records = 0, last_record(folder)
            follower.start()
        else:
            messages, records = build(folder, options.seed, options.messages, options.singles, follower)
        gc.collect()
        follow(folder, records, follower)
        messages = messages or orders(folder)
        seconds = [start_seconds(folder) for _ in range(2)]
    finally:
        if options.folder is None:
            shutil.rmtree(folder)
    passed = max(seconds) <= START_S_MAX
    print(
        f"startup: {messages:,} messages, {records:,} records, {max(seconds):.2f} s of at most"
        f" {START_S_MAX:.0f} s, tail at most {SNAPSHOT_RECORDS:,} records or {SNAPSHOT_BYTES >> 20} MiB:"
        f" {'PASS' if passed else 'FAIL'}",
        flush=True,
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
