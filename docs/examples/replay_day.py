"""Replays a recorded day through an order book, then again in one call: replay_day.py FILE [ROWS]."""

import sys

from ledgerx.clob import Book
from ledgerx.clob.replay import event_buffers, open_day, replay_day

day = open_day(sys.argv[1])
limit = int(sys.argv[2]) if len(sys.argv) > 2 else None

counts = replay_day(day, limit=limit)
for wrong in counts.first_wrong:
    print("wrong:", wrong)

# The same day as one buffer a book: a fresh book takes it whole and ends in the same state.
for events in event_buffers(day, limit=limit):
    book = Book()
    print(f"{book.apply(events)} events, {len(book)} orders, checksum {book.checksum():016x}")
    print("best bid", book.best(is_ask=False), "best ask", book.best(is_ask=True))

print(day.name, "as recorded" if counts.ok else "NOT as recorded")
