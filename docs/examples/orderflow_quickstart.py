"""An engine without a feed: subscribe, poll, and read what it knows."""

from ledgerx.orderflow import DataQualityFlags, Engine, EngineConfig, StreamKind, Symbol

with Engine(EngineConfig(instance_id="quickstart")) as engine:
    symbol = Symbol("CME", "ESM6", depth_levels=10)
    engine.subscribe(symbol, StreamKind.ANALYTICS)
    engine.poll_once(DataQualityFlags.NONE)
    print("api_version", engine.api_version)
    print("build_info", engine.build_info)
    print("analytics", engine.analytics_snapshot(symbol))
    print("signal", engine.signal_snapshot(symbol))
    print("started", engine.metrics()["started"])
