"""A venue without sockets on a clock that only the test moves."""

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.wire import decode_message, encode_message

START = 1_800_000_000 * 10**9
SECOND = 10**9

Status = api.MessageStatus


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, wall_ns=START):
        self.wall = wall_ns
        self.seconds = 1000.0
        self.made = 0

    def wall_ns(self):
        return self.wall

    def monotonic(self):
        return self.seconds

    def random(self):
        return 0.5

    def unique_hex(self):
        self.made += 1
        return f"{self.made:032x}"

    def advance(self, seconds):
        self.wall += int(seconds * SECOND)
        self.seconds += seconds


def detail(contract_id=7, **fields):
    given = {
        "label": f"BTC Future {contract_id}",
        "underlying": "BTC",
        "tick_in_cents": 1,
        "multiplier": 1_000_000,
        "min_size": 1,
        "max_size": 1000,
        "min_price_in_cents": 1,
        "max_price_in_cents": 1_000_000,
    }
    return api.MessageContractDetail(**{"contract_id": contract_id, **given, **fields})


class Floor:
    """A running venue on `folder` with one contract (7) and the accounts named."""

    def __init__(self, folder, *names, clock=None, contracts=None, run=True, **options):
        self.clock = clock or HandClock()
        self.folder = folder
        self.mids = 0
        self.venue = Venue.open(folder, clock=self.clock, contracts=contracts or [detail()], **options)
        self.cids = {row.name: row.cid for row in self.venue.accounts() if row.active}
        for name in names:
            if name not in self.cids:
                self.cids[name] = self.venue.add_account(name, KeyPair.generate().public).cid
        self.venue.commit()
        self.first_turn = self.venue.start_run() if run else None

    def close(self):
        self.venue.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def mid(self):
        self.mids += 1
        return f"{self.venue.engine.number:016x}{self.mids:016x}"

    def order(self, *, price=100, size=1, **fields):
        given = {"mid": self.mid(), "timestamp": self.clock.wall, "contract_id": 7}
        return api.MessageLimitOrder(price_in_cents=price, size=size, **{**given, **fields})

    def ask(self, name, message, **fields):
        """One message in a turn of its own: the decoded messages of the asker, and the turn."""
        turn = self.turn((name, message))
        return [decode_message(data) for answer in turn.answers for data in answer.messages]

    def turn(self, *requests):
        """Several requests in one turn, not decoded."""
        for name, message in requests:
            data = message if isinstance(message, bytes) else encode_message(message)
            self.venue.request(self.cids[name], data, asker=name.encode())
        return self.venue.commit()

    def line(self, name, from_sequence=1):
        """The account's line, decoded."""
        found = self.venue.lines.read(self.cids[name], from_sequence, count_max=10**6, bytes_max=10**9)
        return [decode_message(data) for data in found]

    def replay(self, name, **fields):
        """A replay's answers: ACK, page (encoded), end."""
        turn = self.turn((name, api.MessageReplay(mid=self.mid(), **fields)))
        page = [data for answer in turn.answers if answer.replayed for data in answer.messages]
        rest = [decode_message(d) for answer in turn.answers if not answer.replayed for d in answer.messages]
        return rest[0], page, rest[-1]
