"""What the front's thread and the venue's thread tell each other of a session, which both know by its key."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from ledgerx.streaming_api import seto_pb2 as seto

__all__ = [
    "Admitted",
    "Asks",
    "DeskCommand",
    "Ended",
    "Frames",
    "FrontCommand",
    "Login",
    "Mailbox",
    "Refused",
    "Throttled",
    "Verified",
    "Written",
]

_T = TypeVar("_T")


# ---------------------------------------------------------------------- from the front


@dataclass(frozen=True, slots=True)
class Login:
    """Account `cid` proved itself. `account_sequence`: the last message it has; None: only new ones."""

    key: int
    cid: int
    account_sequence: int | None


@dataclass(frozen=True, slots=True)
class Asks:
    """A payload of an open session that is not the session layer's own."""

    key: int
    payload: seto.Payload


@dataclass(frozen=True, slots=True)
class Written:
    """So many more of the session's frames are on their way."""

    key: int
    count: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over; `lost`: it was not logged out."""

    key: int
    lost: bool


# ---------------------------------------------------------------------- from the venue


@dataclass(frozen=True, slots=True)
class Admitted:
    """The login is good; the session is called `session`, and tells what is behind `account_sequence`."""

    key: int
    session: str
    account_sequence: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The session ends with a logout of this reason."""

    key: int
    reason: int


@dataclass(frozen=True, slots=True)
class Throttled:
    """The session asks too much, and something it asked is not done."""

    key: int


@dataclass(frozen=True, slots=True)
class Frames:
    """Payloads to send. They may be other sessions' too: whoever numbers them serialises them at once."""

    key: int
    payloads: list[seto.Payload]


@dataclass(frozen=True, slots=True)
class Verified:
    """From a checker: the login is account `cid`'s, or nobody's (None)."""

    key: int
    cid: int | None
    account_sequence: int | None


DeskCommand: TypeAlias = Login | Asks | Written | Ended
FrontCommand: TypeAlias = Admitted | Refused | Frames | Throttled | Verified


class Mailbox(Generic[_T]):
    """Commands for one thread, which waits on `descriptor` among other things. Any thread may `put`."""

    ROOM: Final = 10_000

    def __init__(self) -> None:
        self._commands: deque[_T] = deque()
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._taken = threading.Condition()

    def __len__(self) -> int:
        return len(self._commands)

    @property
    def descriptor(self) -> int:
        """Readable while something may be there."""
        return self._read

    def put(self, command: _T) -> None:
        """Add a command and wake the thread."""
        self._commands.append(command)
        self.wake()

    def put_all(self, commands: list[_T]) -> None:
        """Add several, in order."""
        if commands:
            self._commands.extend(commands)
            self.wake()

    def wake(self) -> None:
        """Make `descriptor` readable."""
        with contextlib.suppress(OSError):  # it is readable as it is, or nobody reads any more
            os.write(self._write, b"x")

    def take(self, count_max: int) -> list[_T]:
        """The oldest commands; the descriptor stays readable where some are left."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 65_536)
        taken: list[_T] = []
        while len(taken) < count_max:
            try:
                taken.append(self._commands.popleft())
            except IndexError:
                break
        if self._commands:
            self.wake()
        if taken:
            with self._taken:
                self._taken.notify_all()
        return taken

    def wait_for_room(self, timeout_s: float) -> None:
        """Wait while more than ROOM commands are there."""
        with self._taken:
            self._taken.wait_for(lambda: len(self._commands) <= self.ROOM, timeout_s)

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._read)
        os.close(self._write)
