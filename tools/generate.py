"""Write the generated protobuf modules and their stubs: `python tools/generate.py [--check]`.

`--check` writes nothing and exits 1 if a checked-in file differs from what would be written.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = (
    "ledgerx/api/client/v0_0_1.proto",
    "ledgerx/exchange/journal.proto",
    "ledgerx/exchange/snapshot.proto",
    "ledgerx/history/ingestor.proto",
    "ledgerx/history/ohlc.proto",
    "ledgerx/streaming_api/eto.proto",
    "ledgerx/streaming_api/seto.proto",
)


def generate(target: Path) -> None:
    """Run protoc for every schema, writing below `target`."""
    from grpc_tools import protoc

    for schema in SCHEMAS:
        arguments = ["protoc", f"-I{ROOT}", f"--python_out={target}", f"--pyi_out={target}", schema]
        if protoc.main(arguments) != 0:
            raise SystemExit(f"protoc failed on {schema}")


def main(check: bool) -> int:
    """Generate into the tree, or compare with it."""
    if not check:
        generate(ROOT)
        return 0
    stale = []
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        for written in sorted(Path(scratch).rglob("*_pb2.py*")):
            kept = ROOT / written.relative_to(scratch)
            if not kept.exists() or kept.read_bytes() != written.read_bytes():
                stale.append(str(written.relative_to(scratch)))
    if stale:
        print("stale, run tools/generate.py:", ", ".join(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
