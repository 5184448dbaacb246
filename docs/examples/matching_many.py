"""Many orders matched in one call: the fills of all, and whose each of them is."""

import numpy

from ledgerx.clob import FILL_DTYPE, INCOMING_DTYPE, OUTCOME_DTYPE, REFUSALS, Book, EventKind, TimeInForce

orders = numpy.zeros(5, INCOMING_DTYPE)
orders["kind"] = EventKind.ADD
orders["order_id"] = 1, 2, 3, 4, 5
orders["is_ask"] = True, True, False, False, False
orders["price"] = 10_100, 10_200, 10_200, 10_200, 0
orders["size"] = 5, 5, 7, 9, 1
orders["time_in_force"][3] = TimeInForce.FOK
orders["is_market"][4], orders["time_in_force"][4] = True, TimeInForce.IOC

book = Book()
outcomes = numpy.zeros(len(orders), OUTCOME_DTYPE)
fills = numpy.frombuffer(book.match(orders, outcomes), FILL_DTYPE)
takers = numpy.repeat(orders["order_id"], outcomes["fills"])

for taker, fill in zip(takers, fills, strict=True):
    print(f"order {taker} met order {fill['order_id']}: {fill['size']} at {fill['price']}")
for order, outcome in zip(orders, outcomes, strict=True):
    if (error := REFUSALS[outcome["refusal"]]) is not None:
        print(f"order {order['order_id']} was refused: {error.__name__}")
print("left:", book.snapshot())
