"""An order book by itself: orders rest, one trades, and the state travels as a buffer."""

from ledgerx.clob import Book, TimeInForce
from ledgerx.errors import WouldCross

BID, ASK = False, True

book = Book()
book.add(1, BID, price=9_900, size=5)
book.add(2, BID, price=9_900, size=7)
book.add(3, ASK, price=10_100, size=4)
print("best:", book.best(BID), book.best(ASK))
print("order 2 stands behind (orders, size):", book.queue_position(2))

try:
    book.add(4, ASK, price=9_900, size=1)
except WouldCross as error:
    print("refused:", error)

for fill in book.submit(5, ASK, 9_900, 6, TimeInForce.IOC):
    print("filled:", fill)
print("left:", book.snapshot())

copy = Book()
copy.restore(book.records())
print("same book:", copy.checksum() == book.checksum())
