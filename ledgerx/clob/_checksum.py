"""The checksum of a book: what two books must agree on to be the same order for order.

Definition (every implementation of the book must give the same number). All arithmetic is modulo 2**64.

    h = 0
    for each order, bids from the highest price down, then asks from the lowest price up, each price in
    order of time:
        for each word w of: order_id; price (two's complement); size * 2 + (1 if is_ask else 0)
            z = (h XOR w) + 0x9E3779B97F4A7C15
            z = (z XOR (z >> 30)) * 0xBF58476D1CE4E5B9
            z = (z XOR (z >> 27)) * 0x94D049BB133111EB
            h = z XOR (z >> 31)
    the checksum is h

The steps on z are the output function of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
Number Generators, 2014). The checksum of an empty book is 0. It is no protection against an adversary.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledgerx.clob._types import Order

__all__ = ["checksum_of"]

_MASK = 2**64 - 1


def checksum_of(orders: Iterable[Order]) -> int:
    """The checksum, 0 to 2**64 - 1, of `orders` given in snapshot order."""
    digest = 0
    for order_id, is_ask, price, size in orders:
        for word in (order_id, price & _MASK, size << 1 | is_ask):
            mixed = (digest ^ word) + 0x9E3779B97F4A7C15 & _MASK
            mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
            mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
            digest = mixed ^ mixed >> 31
    return digest
