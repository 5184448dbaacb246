"""The one error tree. Every exception that leaves ledgerx is a leaf of it.

Error:
    ├── Retryable                     try again: the same call may succeed later
    │   ├── ConnectTimeout            nothing answered in time (also TimeoutError)
    │   ├── VenueUnreachable          no connection to the host and port (also ConnectionError)
    │   ├── ConnectionError           a stream's: refused, reset, timed out, TLS (also ConnectionError)
    │   ├── SocketDisconnected        a stream that is not connected, or whose other end closed it
    │   ├── LoginTimeout              no answer to a stream's login
    │   ├── DownloadError             a URL that a frame refers to could not be fetched
    │   ├── QueueFull                 a cap was reached; it drains
    │   ├── StoreBusy                 a handler's transaction holds the store's file
    │   ├── HistoryTimeout            no answer to a request for candles in time (also TimeoutError)
    │   ├── RelayUnreachable          the relay of candles does not answer (also ConnectionError)
    │   ├── WarehouseUnavailable      the catalog or the files of candles do not answer
    │   │                             (also ConnectionError)
    │   └── SourceFailed              a source of candles cannot go on; what it gave before stays
    ├── Fatal                         will never work: the call, a key or a file must change
    │   ├── InvalidKey                a key of wrong type, length or alphabet (also ValueError)
    │   ├── InvalidCertificate        a certificate that does not parse (also ValueError)
    │   ├── CertificateFileError      a certificate file that cannot be read or written (also OSError)
    │   ├── InvalidField              a value that a message's field cannot hold
    │   │                             (also TypeError and ValueError)
    │   ├── InvalidMessage            something that is no message (also TypeError)
    │   ├── InvalidAddress            a host or port that cannot be one (also ValueError)
    │   ├── UnexpectedAnswer          what answers at an address is not what should be there
    │   ├── DecodeError               bytes that are no frame or message of the protocol
    │   │   └── IncompleteULEB128     bytes that end before the number does
    │   ├── ParseError                a frame whose payload is no message of the protocol
    │   ├── LoginError                a stream's login was refused; carries the reason
    │   ├── InvalidCallbackError      no callback of that name
    │   ├── InvalidUrlError           a URL that is none
    │   ├── HandshakeFailed           the CURVE handshake was refused
    │   │   ├── ClientKeyRefused      the venue does not know the client's key
    │   │   └── ServerKeyMismatch     the venue closed during the handshake: wrong server key
    │   ├── InvalidState              the object cannot do this now: started twice, stopped ...
    │   │                             (also RuntimeError)
    │   ├── IncompleteProcessor       a MessageProcessor that lacks handlers (also TypeError)
    │   ├── MissingExtra              an optional dependency is not installed (also ImportError)
    │   ├── NotCompiled               a compiled module of ledgerx is missing (also ImportError)
    │   ├── BookError                 an operation the order book refuses
    │   │   ├── UnknownOrder          no order of that id (also KeyError)
    │   │   ├── DuplicateOrder        the id is in use
    │   │   ├── InvalidOrder          a size, price or id out of range (also ValueError)
    │   │   ├── WouldCross            a mirrored or post-only order would trade
    │   │   ├── NotFillable           a fill-or-kill order that cannot fill whole
    │   │   └── BookFull              the book holds as many orders as it may
    │   ├── JournalError              the venue's journal
    │   │   ├── JournalCorrupt        a record whose checksum or order is wrong, with its position
    │   │   ├── JournalDiverged       re-execution gave other bytes than the record holds
    │   │   ├── JournalWriteFailed    the disk refused; nothing that depends on it was sent
    │   │   └── SnapshotUnusable      a snapshot that is damaged or of another journal
    │   ├── StoreError                the file of a client's durable store; its path is in the text
    │   │   ├── StoreLocked           another process, or another store of this one, has the file
    │   │   ├── StoreMismatch         it belongs to another account or exchange, or is no store
    │   │   ├── StoreCorrupt          it is damaged
    │   │   ├── StoreUnusable         it cannot be made, read or written here (also OSError)
    │   │   └── StoreWriteFailed      the disk refused; nothing that depends on it was sent
    │   ├── DataFolderLocked          another process has the data folder
    │   ├── DataFolderUnusable        a data folder that cannot be made, read or written (also OSError)
    │   ├── PortTaken                 another program listens where the venue must (also OSError)
    │   ├── AccountError              no such account, a name or key already in use
    │   ├── InvalidContracts          the contracts file is wrong; names the contract and the field
    │   ├── InvalidData               a market data file that is not of the documented form
    │   ├── OrderflowError            the order-flow runtime refused or failed (also RuntimeError)
    │   │   ├── OrderflowStateError   the engine cannot do this now, or its library cannot at all
    │   │   └── OrderflowArgError     an argument out of range; names the field and the value
    │   ├── HistoryRequestFailed      a request for candles was answered with an error (also ValueError)
    │   ├── WarehouseError            the warehouse of candles is not as it must be
    │   └── VerificationFailed        a checker of ledgerx.testing found something wrong
    └── OutcomeUnknown                sent and not answered: neither failed nor done

Foreign exceptions (OSError, zmq.ZMQError, protobuf's, nacl's) are mapped once, where they enter, and
kept as `__cause__`.

"""

from __future__ import annotations

import builtins

__all__ = [
    "AccountError",
    "BookError",
    "BookFull",
    "CertificateFileError",
    "ClientKeyRefused",
    "ConnectTimeout",
    "ConnectionError",
    "DataFolderLocked",
    "DataFolderUnusable",
    "DecodeError",
    "DownloadError",
    "DuplicateOrder",
    "Error",
    "Fatal",
    "HandshakeFailed",
    "HistoryRequestFailed",
    "HistoryTimeout",
    "IncompleteProcessor",
    "IncompleteULEB128",
    "InvalidAddress",
    "InvalidCallbackError",
    "InvalidCertificate",
    "InvalidContracts",
    "InvalidData",
    "InvalidField",
    "InvalidKey",
    "InvalidMessage",
    "InvalidOrder",
    "InvalidState",
    "InvalidUrlError",
    "JournalCorrupt",
    "JournalDiverged",
    "JournalError",
    "JournalWriteFailed",
    "LoginError",
    "LoginTimeout",
    "MissingExtra",
    "NotCompiled",
    "NotFillable",
    "OrderflowArgError",
    "OrderflowError",
    "OrderflowStateError",
    "OutcomeUnknown",
    "ParseError",
    "PortTaken",
    "QueueFull",
    "RelayUnreachable",
    "Retryable",
    "ServerKeyMismatch",
    "SnapshotUnusable",
    "SocketDisconnected",
    "SourceFailed",
    "StoreBusy",
    "StoreCorrupt",
    "StoreError",
    "StoreLocked",
    "StoreMismatch",
    "StoreUnusable",
    "StoreWriteFailed",
    "UnexpectedAnswer",
    "UnknownOrder",
    "VenueUnreachable",
    "VerificationFailed",
    "WarehouseError",
    "WarehouseUnavailable",
    "WouldCross",
]


class Error(Exception):
    """Anything ledgerx raises."""


class Retryable(Error):
    """The same call may succeed later."""


class Fatal(Error):
    """The same call will never succeed."""


class OutcomeUnknown(Error):
    """A request was sent and not answered: it may or may not have been carried out."""


class ConnectTimeout(Retryable, TimeoutError):
    """Nothing answered within the connect timeout."""


class VenueUnreachable(Retryable, builtins.ConnectionError):
    """The host and port accept no connection."""


class ConnectionError(Retryable, builtins.ConnectionError):  # noqa: A001 - the streaming manual's name
    """A stream's connection was refused, reset, timed out or not trusted; the cause is kept."""


class SocketDisconnected(Retryable):
    """The stream is not connected, or its other end closed it."""


class LoginTimeout(Retryable):
    """Nothing answered a stream's login in time."""


class DownloadError(Retryable):
    """A URL that a frame refers to could not be fetched: the network, or a status other than 200."""


class QueueFull(Retryable):
    """A buffer reached its cap."""


class StoreBusy(Retryable):
    """A handler's transaction holds the store's file: the request was not stored and did not leave."""


class HistoryTimeout(Retryable, TimeoutError):
    """A request for candles was not answered within its timeout; asking again joins it where it is."""


class RelayUnreachable(Retryable, builtins.ConnectionError):
    """The relay of candles does not answer, or the client is not connected to it."""


class WarehouseUnavailable(Retryable, builtins.ConnectionError):
    """The catalog or the files of the warehouse of candles do not answer; the cause is kept."""


class SourceFailed(Retryable):
    """A source of candles cannot go on: a limit, a network, a file. What it gave before stays good."""


class InvalidKey(Fatal, ValueError):
    """A key that is not 32 bytes or 40 Z85 characters."""


class InvalidCertificate(Fatal, ValueError):
    """A certificate text without the blocks it must have."""


class CertificateFileError(Fatal, OSError):
    """A certificate file that cannot be read or written; the operating system's error is the cause."""


class InvalidField(Fatal, TypeError, ValueError):
    """A value that a field cannot hold.

    `field` is the field's name, `value` what was given.
    """

    def __init__(self, message: str, *, field: str, value: object) -> None:
        super().__init__(message)
        self.field = field
        self.value = value


class InvalidMessage(Fatal, TypeError):
    """An object that is no message of the protocol, or none that may stand where it was put."""


class InvalidAddress(Fatal, ValueError):
    """A host or port that cannot be one."""


class UnexpectedAnswer(Fatal):
    """What answers at an address is not what should be there, or refuses."""


class DecodeError(Fatal):
    """Bytes that are not what the protocol says."""


class IncompleteULEB128(DecodeError):
    """The bytes end before the number does; with more of them the same call may succeed."""


class ParseError(Fatal):
    """A frame whose payload is no message of the protocol."""


class LoginError(Fatal):
    """A stream's login was refused. `reason` is the LogoutReason's number, `reason_msg` its name."""

    def __init__(self, reason: int, message: str = "") -> None:
        self.reason = reason
        self.reason_msg = message or "Unknown"
        super().__init__(reason, self.reason_msg)

    def __str__(self) -> str:
        return f"the login was refused: {self.reason_msg} ({self.reason})"


class InvalidCallbackError(Fatal):
    """No callback of that name; the text names those that there are."""


class InvalidUrlError(Fatal):
    """A URL that is none."""


class HandshakeFailed(Fatal):
    """The CURVE handshake did not succeed."""


class ClientKeyRefused(HandshakeFailed):
    """The venue knows no account with this client's public key."""


class ServerKeyMismatch(HandshakeFailed):
    """The venue closed the connection during the handshake, as it does on a wrong server key."""


class InvalidState(Fatal, RuntimeError):
    """The object cannot do this in its present state."""


class IncompleteProcessor(Fatal, TypeError):
    """A MessageProcessor subclass that lacks handlers; the text names them."""


class MissingExtra(Fatal, ImportError):
    """An optional dependency is missing; the text says which extra brings it."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra {extra!r}: pip install 'ledgerx-python[{extra}]'")
        self.extra = extra


class NotCompiled(Fatal, ImportError):
    """A compiled module of ledgerx is not there for this Python; the text says how to get it."""

    def __init__(self, module: str) -> None:
        super().__init__(
            f"the compiled module {module} is missing or was built for another Python: "
            "in a checkout run bin/_setup (it needs a C compiler), "
            "elsewhere pip install --force-reinstall ledgerx-python"
        )
        self.module = module


class BookError(Fatal):
    """An operation that the order book refuses; the book is unchanged.

    `event_index` is set where a batch of events was applied: the refused event's place in it, from 0.
    Those before it stay applied; it and those behind it changed nothing.
    """

    event_index: int | None = None


class UnknownOrder(BookError, KeyError):
    """The book holds no order of that id."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError's would quote the sentence


class DuplicateOrder(BookError):
    """The book holds an order of that id already."""


class InvalidOrder(BookError, ValueError):
    """A size, price or id that no order can have."""


class WouldCross(BookError):
    """An order that must not trade would."""


class NotFillable(BookError):
    """A fill-or-kill order that cannot fill whole at its price."""


class BookFull(BookError):
    """The book holds `orders_max` orders; another one may not rest in it."""


class JournalError(Fatal):
    """The venue's journal."""


class JournalCorrupt(JournalError):
    """A record is damaged. `position` is its byte offset in the file."""

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(message)
        self.position = position


class JournalDiverged(JournalError):
    """Re-executing a record gave other outputs than were written. `number` is the record's."""

    def __init__(self, message: str, *, number: int) -> None:
        super().__init__(message)
        self.number = number


class JournalWriteFailed(JournalError):
    """A write or fsync of the journal failed; the process must end."""


class SnapshotUnusable(JournalError):
    """A snapshot file that is damaged, of another format, or of another journal. Older ones serve."""


class StoreError(Fatal):
    """The file of a client's durable store. `path` is its name."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class StoreLocked(StoreError):
    """The file is in use, by another process or by another store of this one."""


class StoreMismatch(StoreError):
    """The file is no store, or one of another account, exchange or build."""


class StoreCorrupt(StoreError):
    """The file is damaged."""


class StoreUnusable(StoreError, OSError):
    """The file cannot be made, read or written where it is; the foreign error is the cause."""


class StoreWriteFailed(StoreError):
    """The disk refused. What was to be written is not in the file, and nothing that needs it was sent."""


class DataFolderLocked(Fatal):
    """Another process uses the data folder."""


class DataFolderUnusable(Fatal, OSError):
    """A data folder that cannot be made, read or written; the operating system's error is the cause."""


class PortTaken(Fatal, OSError):
    """Another program listens on a port that the venue must have. `port` is its number."""

    def __init__(self, message: str, *, port: int) -> None:
        super().__init__(message)
        self.port = port


class AccountError(Fatal):
    """No such account, or a name or key that is taken."""


class InvalidContracts(Fatal):
    """A contracts file that cannot be used."""


class InvalidData(Fatal):
    """A market data file that is not of the documented form.

    `file` is its name, `row` the row's number from 1 (0: the file as a whole) and `field` the column at
    fault ("": none).
    """

    def __init__(self, message: str, *, file: str = "", row: int = 0, field: str = "") -> None:
        super().__init__(message)
        self.file = file
        self.row = row
        self.field = field


class OrderflowError(Fatal, RuntimeError):
    """The order-flow runtime refused or failed."""


class OrderflowStateError(OrderflowError):
    """The engine cannot do this now (closed, not started), or the library that runs it cannot at all."""


class OrderflowArgError(OrderflowError):
    """An argument that no field can hold; the text names the field and the value."""


class HistoryRequestFailed(Fatal, ValueError):
    """A request for candles was answered with an error; the text is the ingestor's or the relay's."""


class WarehouseError(Fatal):
    """The warehouse of candles is not as it must be: a table of another form, rows that contradict."""


class VerificationFailed(Fatal):
    """Something that a checker verified does not hold; the text says what should have been."""
