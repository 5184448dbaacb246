"""A feed of your own: events go in one by one, and callbacks say what became of them."""

from ledgerx.orderflow import (
    BookAction,
    Engine,
    EngineConfig,
    ExternalFeedPolicy,
    Side,
    StreamKind,
    Symbol,
)

symbol = Symbol("BINANCE", "BTCUSDT", depth_levels=20)


def on_health(event):
    print("health", event["runtime_health_status"], event["quality_flags_detail"])


def on_analytics(event):
    print("delta", event.get("delta"), "control", event.get("point_of_control"))


with Engine(EngineConfig(instance_id="ingest")) as engine:
    engine.configure_external_feed(ExternalFeedPolicy(stale_after_ms=2_000, enforce_sequence=True))
    engine.subscribe(symbol, StreamKind.HEALTH, callback=on_health)
    engine.subscribe(symbol, StreamKind.ANALYTICS, callback=on_analytics)
    engine.ingest_book(symbol, Side.BID, 0, 62_500_000, 1_000, BookAction.UPSERT, sequence=1)
    engine.ingest_trade(symbol, 62_510_000, 200, Side.ASK, sequence=2)
    engine.ingest_trade(symbol, 62_500_000, 50, Side.BID, sequence=5)  # 3 and 4 are missing
    engine.poll_once()
    print("signal", engine.signal_snapshot(symbol)["state"])
