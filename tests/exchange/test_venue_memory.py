"""What a venue keeps in memory does not grow with what it has done."""

import gc
import tracemalloc

from venue_harness import Floor

from ledgerx.exchange.line_store import LineStore
from ledgerx.exchange.risk import default_limits


def used_bytes():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_memory_is_flat_over_thousands_of_orders_and_many_segments(tmp_path):
    limits = default_limits()
    limits.mids_max = 500
    with Floor(tmp_path, "alice", "bob", segment_bytes_max=20_000, limits=limits) as floor:
        venue = floor.venue
        venue.lines = LineStore(venue.journal, recent_bytes_max=50_000)

        def trade(turns):
            for _ in range(turns):
                floor.clock.advance(0.001)
                floor.turn(("alice", floor.order(price=100, size=3)))
                floor.turn(("bob", floor.order(price=100, size=3, is_ask=True)))
            venue.lines.read(1, 1, count_max=500, bytes_max=10**6)  # what is old is read back, too

        tracemalloc.start()
        try:
            trade(300)
            early, segments, messages = used_bytes(), len(venue.journal.segments), venue.lines.head(1)
            trade(1500)
            growth = used_bytes() - early
        finally:
            tracemalloc.stop()
        more = len(venue.journal.segments) - segments
        assert more > 50
        assert venue.lines.head(1) - messages == 4 * 1500
        # some hundred bytes for each segment, of which a real one has 32 MiB; nothing for a message
        assert growth < 600 * more + 30_000, f"{growth} bytes for {more} segments"
