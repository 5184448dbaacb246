"""Sources by a word on a command line: `files:FOLDER`, and with a name of its own `NAME=files:FOLDER`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledgerx.errors import InvalidField
from ledgerx.history.sources.files import FileSource
from ledgerx.history.sources.source import Source

__all__ = ["FORMS", "open_source"]

FORMS: Final = "[NAME=]files:FOLDER, [NAME=]venue:DATA_DIR or [NAME=]ccxt:EXCHANGE"


def _files(name: str, what: str) -> Source:
    return FileSource(what, name=name or "FILE")


def _venue(name: str, what: str) -> Source:
    from ledgerx.history.sources.tape import VenueTape

    return VenueTape(what, name=name or "LEDGERX")


def _ccxt(name: str, what: str) -> Source:
    from ledgerx.history.sources.ccxt import CcxtSource, open_exchange

    return CcxtSource(open_exchange(what), name=name or None)


_KINDS: Final[dict[str, Callable[[str, str], Source]]] = {"files": _files, "venue": _venue, "ccxt": _ccxt}


def open_source(text: str) -> Source:
    """The source that a text names.

    The name is what stands before the colon of its tickers; without one each kind has its own.

    Raises InvalidField for a text of another form, and what the source raises.

    """
    name, equals, rest = text.partition("=")
    if not equals or ":" in name:
        name, rest = "", text
    kind, _, what = rest.partition(":")
    if kind not in _KINDS or not what or ":" in name:
        raise InvalidField(f"source {text!r}: give {FORMS}", field="source", value=text)
    return _KINDS[kind](name, what)
