"""A recorded file through the engine: its figures, its candles, and a picture. Arguments: FILE [PNG]."""

import sys

from ledgerx.orderflow import Engine, EngineConfig, plot
from ledgerx.orderflow.feeds import FileFeed

with Engine(EngineConfig(instance_id="recorded", vpin_bucket_lots=20_000)) as engine:
    feed = FileFeed(sys.argv[1], price_scale=100, size_scale=1_000)  # cents, thousandths
    engine.attach(feed)
    while not feed.done:
        engine.poll_once()
    analytics, flow = engine.analytics_snapshot(feed.symbol), engine.flow_snapshot(feed.symbol)
    print("bought", analytics["buy_volume"], "sold", analytics["sell_volume"])
    print("vwap", round(flow["vwap"] / 100, 2), "vpin", round(flow["vpin"], 3))
    print(engine.to_pandas(feed.symbol, "candles")[["open", "high", "low", "close", "trades"]])
    if len(sys.argv) > 2:
        picture = plot.footprint(engine, feed.symbol, price_step=2_000, price_scale=100)
        picture.savefig(sys.argv[2], dpi=90)
