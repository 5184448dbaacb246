"""Commands to the exchange, one module a protocol version (manual, "Exchange Commands")."""

from __future__ import annotations

from types import ModuleType

from ledgerx.sdk.utils import import_versions

__all__ = ["get_cmd_version"]

_VERSIONS = import_versions(__file__, __name__)


def get_cmd_version(version: str) -> ModuleType | None:
    """The commands module of a protocol version, "major.minor.build"; None if there is none."""
    return _VERSIONS.get(version)
