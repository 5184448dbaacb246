"""Relay, ingestor and warehouse of one data folder in one process, and the note that says where they are.

* `D/catalog.db`: the catalog, SQLite.
* `D/warehouse/`: the tables' files.
* `D/history.json`: the catalog's URI and the endpoints (HistoryNote); kept after the end, for the catalog.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType

from ledgerx.errors import DataFolderUnusable
from ledgerx.history.endpoints import NOTIFICATION_ENDPOINT, RELAY_ENDPOINT
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.relay import Relay
from ledgerx.history.sources.source import Source
from ledgerx.history.writer import WarehouseWriter

__all__ = ["EmbeddedHistory", "HistoryNote", "catalog_uri_of", "read_note"]

_NOTE = "history.json"


@dataclass(frozen=True, slots=True)
class HistoryNote:
    """What an OHLCClient needs, under its arguments' names."""

    iceberg_catalog_uri: str
    relay_endpoint: str
    notification_endpoint: str
    namespace: str


def catalog_uri_of(data_dir: str | Path) -> str:
    """The URI of a data folder's catalog."""
    file = str(Path(data_dir).absolute() / "catalog.db")
    return "sqlite:///" + file.replace("%", "%25").replace("?", "%3F")


def read_note(data_dir: str | Path) -> HistoryNote:
    """Where the history of a data folder is. Raises DataFolderUnusable where none was started."""
    path = Path(data_dir) / _NOTE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return HistoryNote(**{field.name: values[field.name] for field in fields(HistoryNote)})
    except (OSError, ValueError, TypeError, KeyError) as error:
        text = f"{path} cannot be read: has pyledgerx history up used that folder?"
        raise DataFolderUnusable(text) from error


class EmbeddedHistory:
    """All of a history in threads of this process, its files in one folder, made if it is new::

        with EmbeddedHistory("history", [FileSource("recordings")]) as history:
            client = OHLCClient(history.note.iceberg_catalog_uri, ...)

    Args:
        data_dir: the folder.
        sources: what it serves; it closes them.
        relay_endpoint, notification_endpoint: of loopback; port 0: any free one.
        after_commits: as for Ingestor.

    Raises DataFolderUnusable, and what Relay and Ingestor raise.

    """

    def __init__(
        self,
        data_dir: str | Path,
        sources: Iterable[Source],
        *,
        namespace: str = "trading",
        relay_endpoint: str = RELAY_ENDPOINT,
        notification_endpoint: str = NOTIFICATION_ENDPOINT,
        after_commits: Callable[[int], None] | None = None,
    ) -> None:
        self.data_dir = Path(data_dir)
        self.relay = Relay(relay_endpoint, notification_endpoint)
        self._sources = list(sources)
        self._namespace = namespace
        self._after_commits = after_commits
        self._opened = ExitStack()
        self._ingestor: Ingestor | None = None

    @property
    def note(self) -> HistoryNote:
        """Where its parts are; after `start`, with the ports they got."""
        endpoints = self.relay.relay_endpoint, self.relay.notification_endpoint
        return HistoryNote(catalog_uri_of(self.data_dir), *endpoints, self._namespace)

    @property
    def alive(self) -> bool:
        """Whether all of it serves."""
        return self.relay.alive and self._ingestor is not None and self._ingestor.alive

    def start(self) -> None:
        """Begin to serve; clients can connect when it returns."""
        try:
            self._opened.callback(self.relay.stop)
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self.relay.start()
            writer = WarehouseWriter(catalog_uri_of(self.data_dir), self._namespace)
            self._ingestor = Ingestor(
                self.relay.relay_endpoint, writer, self._sources, after_commits=self._after_commits
            )
            self._opened.enter_context(self._ingestor)
            scratch = self.data_dir / f"{_NOTE}.new"
            scratch.write_text(json.dumps(asdict(self.note), indent=1) + "\n", encoding="utf-8")
            scratch.replace(self.data_dir / _NOTE)
        except OSError as error:
            self.stop()
            if error.filename is None:
                raise
            text = f"data folder {self.data_dir}: {error.strerror or error}: name one that can be written"
            raise DataFolderUnusable(text) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End. May be called again."""
        self._opened.close()

    def __enter__(self) -> EmbeddedHistory:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
