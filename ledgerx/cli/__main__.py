"""`python -m ledgerx.cli`: the command line where its entry point is not installed."""

from __future__ import annotations

from ledgerx.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    main(prog_name="pyledgerx")
