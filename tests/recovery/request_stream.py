"""Plays one seeded stream of requests into a venue's folder, on a clock of its own: FOLDER SEED COUNT.

Everything in it comes from the seed, so that two processes must write the same journal.
"""

import random
import sys
from pathlib import Path

from venue_harness import SECOND, Floor, HandClock, detail

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol.wire import encode_message, envelope

NAMES = ("alice", "bob", "carol")


def play(folder: Path, seed: int, count: int, **options: object) -> None:
    """Two runs of requests of every kind, with a contract that expires and an account that is removed."""
    numbers = random.Random(seed)
    clock = HandClock()
    contracts = [detail(7), detail(8, expiry=clock.wall + 40 * SECOND)]
    for run in range(2):
        with Floor(folder, clock=clock, contracts=contracts, **options) as floor:
            for index, name in enumerate(NAMES if not run else ()):
                floor.cids[name] = floor.venue.add_account(name, chr(ord("a") + index) * 40).cid
            for turn in range(count // 20):
                clock.advance(numbers.random())
                for _ in range(numbers.randrange(20)):
                    cid = floor.cids[numbers.choice(NAMES[: 3 - run])]
                    floor.venue.request(cid, encode_message(_message(numbers, floor)))
                if run and turn == 5:
                    floor.venue.remove_account("carol")
                floor.venue.commit()


def _message(numbers: random.Random, floor: Floor, depth: int = 0) -> object:
    given = {
        "mid": f"{numbers.getrandbits(128):032x}",
        "timestamp": floor.clock.wall,
        "contract_id": numbers.choice((7, 7, 7, 8, 9)),
    }
    price, size, is_ask = numbers.randrange(95, 106), numbers.randrange(1, 9), numbers.random() < 0.5
    orders = [mid for account in floor.venue.engine.accounts.values() for mid in _mids(account)]
    entry_id = numbers.choice(orders) if orders else "00" * 16
    match numbers.randrange(16 - depth):
        case 8:
            return api.MessageCancelOrder(entry_id=entry_id, **given)
        case 9:
            return api.MessageCancelReplace(entry_id=entry_id, size=size, price_in_cents=price, **given)
        case 10:
            return api.MessageMarketOrder(size=size, is_ask=is_ask, **given)
        case 11 | 12:
            sides = {"bid_price_in_cents": price, "ask_price_in_cents": price + 2}
            return api.MessageQuote(bid_size=size, ask_size=3, **sides, **given)
        case 13 if size == 1:
            return api.MessageCancelAll(**given)
        case 15:
            members = [envelope(_message(numbers, floor, 1)) for _ in range(size)]
            del given["contract_id"]
            return api.MessageBatch(requests=members, **given)
    return api.MessageLimitOrder(size=size, price_in_cents=price, is_ask=is_ask, **given)


def _mids(account: object) -> list[str]:
    return [entry.mid for entry in account.entries.values()]  # type: ignore[attr-defined]


if __name__ == "__main__":
    play(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
