"""How a command reaches a venue: a running one over a control socket, a stopped one through its folder.

The control socket listens on the loopback interface. Both of its ends use the venue's own key pair, so
whoever can read D/venue.key may command the venue and nobody else. A request and its answer are JSON
objects: {"do": "account-add", "name": ..., "public_key": ...} is answered {"account": {...}} or
{"error": <name in ledgerx.errors>, "message": ...}.
"""

from __future__ import annotations

import _thread
import json
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import zmq

from ledgerx import errors
from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import ConnectTimeout, DataFolderLocked, DataFolderUnusable, Error, InvalidField
from ledgerx.exchange.accounts import AccountRow
from ledgerx.exchange.folder import load_key_pair, lock_holder, read_note
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import check_key
from ledgerx.protocol.sockets import AnySocket, req, secure_socket

__all__ = ["ControlServer", "add_account", "call", "perform", "remove_account"]

CALL_TIMEOUT_S = 10.0
_RETRY_S = 0.05


def perform(venue: Venue, request: dict[str, Any]) -> dict[str, Any]:
    """Do one command in the venue's present turn. Raises InvalidField, AccountError, InvalidKey."""
    match request:
        case {"do": "account-add", "name": str(name), "public_key": str(key)}:
            return {"account": venue.add_account(name, key, request.get("mpid"))._asdict()}
        case {"do": "account-remove", "name": str(name)}:
            return {"account": venue.remove_account(name)._asdict()}
    raise InvalidField("this venue does not know that command", field="do", value=request.get("do"))


class ControlServer:
    """The venue's end. `receive` belongs before a turn's commit, `reply` after it."""

    def __init__(self, socket: AnySocket) -> None:
        self.socket = socket
        self._reply: bytes | None = None

    def receive(self, venue: Venue) -> None:
        """Take at most one command and do it."""
        try:
            data = self.socket.recv(zmq.NOBLOCK)
        except zmq.Again:
            return
        try:
            request = json.loads(data)
            answer = perform(venue, request if isinstance(request, dict) else {})
        except Error as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        except (ValueError, TypeError) as error:
            answer = {"error": "InvalidField", "message": f"no command: {error}"}
        self._reply = json.dumps(answer).encode()

    def reply(self) -> None:
        """Answer the command, now that it is in the journal."""
        reply, self._reply = self._reply, None
        if reply is not None:
            self.socket.send(reply, zmq.NOBLOCK)


def call(folder: str | Path, request: dict[str, Any], timeout_s: float = CALL_TIMEOUT_S) -> dict[str, Any]:
    """Have a command done by the venue that runs on `folder`, or in the folder itself if none does.

    Raises what `perform` and `Venue.open` raise, and ConnectTimeout where a venue has the folder and does
    not answer in time: then the command may have been done or not.
    """
    path = Path(folder)
    if request.get("do") != "account-add" and not path.is_dir():
        raise DataFolderUnusable(f"there is no data folder {path}")
    deadline = SYSTEM_CLOCK.monotonic() + timeout_s
    while True:
        try:
            return _perform_offline(path, request)
        except DataFolderLocked as locked:
            left_s = deadline - SYSTEM_CLOCK.monotonic()
            note = read_note(path)
            if note is not None and note.control_port and note.pid == lock_holder(path):
                return _unpack(_ask(path, note.control_port, request, left_s))
            if left_s <= 0:
                raise ConnectTimeout(f"{locked}; it did not become ready in {timeout_s:g} s") from locked
        # Another command has the folder for a moment, or a venue is starting.
        threading.Event().wait(_RETRY_S)


def add_account(
    folder: str | Path, name: str, public_key: bytes | str, mpid: int | None = None
) -> AccountRow:
    """Register a trader, whether a venue runs or not. Raises as `call`."""
    key = check_key(public_key, "public key").decode("ascii")
    request: dict[str, Any] = {"do": "account-add", "name": name, "public_key": key, "mpid": mpid}
    return AccountRow(**call(folder, request)["account"])


def remove_account(folder: str | Path, name: str) -> AccountRow:
    """Cancel a trader's orders and end the account, whether a venue runs or not. Raises as `call`."""
    return AccountRow(**call(folder, {"do": "account-remove", "name": name})["account"])


def _perform_offline(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    venue = Venue.open(folder)
    try:
        answer = perform(venue, request)
        venue.commit()
        return answer
    finally:
        venue.close()


def _ask(folder: Path, port: int, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """What `_exchange` gives, from a thread of its own.

    An exception that a signal raises (Ctrl-C) while ZeroMQ opens or closes a socket leaves one that
    nobody closes, and the end of its context waits for that one for ever. Here it ends a wait instead.
    """
    outcome: SimpleQueue[dict[str, Any] | BaseException] = SimpleQueue()

    def ask() -> None:
        try:
            outcome.put(_exchange(folder, port, request, timeout_s))
        except BaseException as error:
            outcome.put(error)

    # Not threading.Thread: its start() takes locks in Python, which such an exception leaves taken.
    _thread.start_new_thread(ask, ())
    result = outcome.get()
    if isinstance(result, BaseException):
        raise result
    return result


def _exchange(folder: Path, port: int, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    keys = load_key_pair(folder)
    timeout_ms = max(int(timeout_s * 1000), 1)
    with zmq.Context() as context:
        socket = secure_socket(
            req, keys.private or b"", keys.public, keys.public, context, rtimeo=timeout_ms, linger=0
        )
        socket.sndtimeo = timeout_ms  # a refused socket has nobody to send to, and would wait for ever
        with socket:
            socket.connect(f"tcp://127.0.0.1:{port}")
            try:
                socket.send(json.dumps(request).encode())
                answer: dict[str, Any] = json.loads(socket.recv())
            except zmq.Again as error:
                raise ConnectTimeout(
                    f"the venue on {folder} did not answer in {timeout_s:.0f} s: the command may or may not"
                    " have been done"
                ) from error
    return answer


def _unpack(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, or the error it names, raised here."""
    if "error" not in answer:
        return answer
    kind = getattr(errors, str(answer["error"]), Error)
    text = str(answer.get("message", ""))
    raise InvalidField(text, field="do", value=None) if kind is InvalidField else kind(text)
