"""ccxt's own exchanges against a local HTTP server that answers as binance does, and as kraken does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import SourceFailed
from ledgerx.history.sources.ccxt import CcxtSource

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
START = 1_700_000_000_000_000 // (86_400 * SECOND_US) * 86_400 * SECOND_US
BINANCE_MS = {"1s": 1000, "1m": 60_000}
BINANCE_ROWS_MAX = 1000
KRAKEN_ROWS = 720


@contextmanager
def answering(answer: Callable[[dict[str, str]], Any]) -> Iterator[str]:
    """The address of a server that answers each GET's query with JSON."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            body = json.dumps(answer({name: values[0] for name, values in query.items()})).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def exchange(kind: Any, address: str, market: dict[str, Any]) -> Any:
    """An exchange of ccxt that asks the address, and knows one market."""
    made = kind({"enableRateLimit": False})
    urls = made.urls["api"]
    made.urls["api"] = {name: address for name, url in urls.items() if isinstance(url, str)}
    made.set_markets([made.safe_market_structure({"type": "spot", "spot": True, "active": True, **market})])
    return made


def binance_rows(query: dict[str, str]) -> list[list[Any]]:
    """From startTime on, at most 1000."""
    step = BINANCE_MS[query["interval"]]
    first = -(-int(query["startTime"]) // step) * step
    count = min(int(query.get("limit", 500)), BINANCE_ROWS_MAX)
    return [
        [at, "100.0", "101.0", "99.0", "100.5", "2.0", at + step - 1, "0", 1, "0", "0", "0"]
        for at in range(first, first + count * step, step)
    ]


def test_a_period_longer_than_binances_page_is_made_of_all_its_seconds(ccxt: Any) -> None:
    market: dict[str, Any] = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT"}
    market["precision"] = {"price": 0.01, "amount": 0.00001}
    period = 4000
    begin = START // (period * SECOND_US) * period * SECOND_US
    with answering(binance_rows) as address:
        source = CcxtSource(exchange(ccxt.binance, address, market))
        pages = list(source.pages("BTC/USDT", period, (begin, begin + 2 * period * SECOND_US)))
        source.close()
    assert [volume for page in pages for volume in page.candles.volume.tolist()] == [period * 200_000] * 2
    assert pages[-1].covered[1] == begin + 2 * period * SECOND_US


def kraken_rows(query: dict[str, str]) -> dict[str, Any]:
    """The newest 720, whatever `since` is."""
    step = int(query["interval"]) * 60
    newest = SYSTEM_CLOCK.wall_ns() // 1_000_000_000 // step * step
    rows = [
        [at, "100.0", "101.0", "99.0", "100.5", "100.2", "2.0", 4]
        for at in range(newest - (KRAKEN_ROWS - 1) * step, newest + step, step)
    ]
    return {"error": [], "result": {"XXBTZUSD": rows, "last": newest}}


def test_the_newest_rows_of_kraken_say_nothing_of_an_older_range(ccxt: Any) -> None:
    market = {"id": "XXBTZUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD"}
    now = SYSTEM_CLOCK.wall_ns() // 60_000_000_000 * MINUTE_US
    with answering(kraken_rows) as address:
        made = exchange(
            ccxt.kraken,
            address,
            market | {"precision": {"price": 0.1, "amount": 1e-8}, "info": {"altname": "XBTUSD"}},
        )
        source = CcxtSource(made)
        (page,) = source.pages("BTC/USD", 60, (now - 30 * MINUTE_US, now))
        with pytest.raises(SourceFailed, match=r"KRAKEN:BTC/USD: .* only since"):
            list(source.pages("BTC/USD", 60, (now - 14_400 * MINUTE_US, now - 12_960 * MINUTE_US)))
        source.close()
    assert (len(page.candles), page.covered) == (30, (now - 30 * MINUTE_US, now))
