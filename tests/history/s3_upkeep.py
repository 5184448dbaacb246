"""Fill, compact, expire, sweep and verify a warehouse: `CATALOG PLACE`, the environment says which S3."""

from __future__ import annotations

import sys

from candle_makers import fill, span

from ledgerx.history.maintenance import Maintenance
from ledgerx.history.verification import verify
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter

if __name__ == "__main__":
    catalog, place = sys.argv[1:]
    writer = WarehouseWriter(catalog, warehouse=place)
    writer.open()
    for number in range(9):
        writer.write([fill(number * 10, number * 10 + 10)])
    writer.close()
    upkeep = Maintenance(catalog, warehouse=place)
    assert upkeep.compact() == 9
    assert upkeep.expire(keep_s=0) > 9
    assert upkeep.sweep(age_s=3600) == 0
    assert upkeep.sweep(age_s=-60) > 9  # the files' times are the server's
    upkeep.close()
    with IcebergClient(catalog) as client:
        assert client.query_ohlc("TEST:ABC", 60, *span(0, 90))["open"].tolist() == list(range(100, 190))
        assert verify(client).ok
