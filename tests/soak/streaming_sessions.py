"""1,000 streaming sessions at once over TLS: all log in and beat, at 100 kB each at most.

The venue is a process of its own; its memory is looked at before the first session and after the last
heartbeat. All sessions are held by one thread, each of an account of its own.
"""

from __future__ import annotations

import argparse
import selectors
import sys
import tempfile
from pathlib import Path
from typing import Final

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.exchange.streaming.certificate import certificate_path
from ledgerx.exchange.streaming.credentials import Credentials
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.session import Session, SessionSettings
from ledgerx.testing.process import VenueProcess

HEARTBEATS: Final = 3
BYTES_MAX: Final = 100_000
HOLD_S_MAX: Final = 60.0


def memory_bytes(pid: int) -> int:
    """The resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def accounts(folder: Path, count: int) -> list[str]:
    """So many accounts in a new folder; their tokens."""
    venue = Venue.open(folder)
    rows = [venue.add_account(f"trader {number}", KeyPair.generate().public) for number in range(count)]
    venue.commit()
    venue.close()
    credentials = Credentials(folder)
    return [credentials.set_token(row) for row in rows]


def hold(sessions: list[Session]) -> tuple[list[int], list[int], float]:
    """Read every session until each has had its heartbeats: heartbeats and logouts by session, seconds."""
    beats, logouts = [0] * len(sessions), [0] * len(sessions)
    begun = SYSTEM_CLOCK.monotonic()
    with selectors.DefaultSelector() as selector:
        for number, session in enumerate(sessions):
            assert session.raw_socket is not None
            selector.register(session.raw_socket, selectors.EVENT_READ, number)
        while min(beats) < HEARTBEATS and SYSTEM_CLOCK.monotonic() - begun < HOLD_S_MAX:
            for key, _ in selector.select(1.0):
                session = sessions[key.data]
                session.read()
                while (frame := session.next_frame()) is not None:
                    kind = frame.protobuf.eto_payload.type
                    beats[key.data] += kind == eto.PAYLOAD_HEARTBEAT
                    logouts[key.data] += kind == eto.PAYLOAD_LOGOUT
    return beats, logouts, SYSTEM_CLOCK.monotonic() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledgerx-sessions-") as name:
        folder = Path(name)
        tokens = accounts(folder, options.sessions)
        with VenueProcess(folder, ("--snapshot-every", "0")) as venue:
            kwargs = {"ca_certs": str(certificate_path(folder))}
            sessions = [
                Session(
                    SessionSettings(
                        token=token,
                        host="127.0.0.1",
                        port=venue.ready["streaming_port"],
                        ssl_kwargs=kwargs,
                    )
                )
                for token in tokens
            ]
            before = memory_bytes(venue.pid)
            begun = SYSTEM_CLOCK.monotonic()
            for session in sessions:
                session.connect()
            connected_s = SYSTEM_CLOCK.monotonic() - begun
            beats, logouts, held_s = hold(sessions)
            logged_in = sum(bool(session.session) for session in sessions)
            alive = sum(session.connected for session in sessions)
            used = (memory_bytes(venue.pid) - before) / options.sessions
            # Each is still served: it asks something and hears the answer.
            for session in sessions:
                session.out_payload.Clear()
                session.out_payload.type = seto.PAYLOAD_SETTINGS
                session.out_payload.settings.cancel_all_on_failure = False
                session.send()
                session.flush()
            answered = sum(_answered(session) for session in sessions)
            for session in sessions:
                session.disconnect()
    print(
        f"sessions {options.sessions}, logged in {logged_in}, alive after {held_s:.0f} s {alive},"
        f" heartbeats {sum(beats):,} (at least {min(beats)}), logouts {sum(logouts)}, answered {answered},"
        f" connected in {connected_s:.1f} s, {used / 1000:.1f} kB each of at most {BYTES_MAX / 1000:.0f}",
        flush=True,
    )
    everyone = logged_in == alive == answered == options.sessions
    return 0 if everyone and min(beats) >= HEARTBEATS and not sum(logouts) and used <= BYTES_MAX else 1


def _answered(session: Session) -> bool:
    """Whether the session hears that its settings were taken."""
    while True:
        while (frame := session.next_frame()) is not None:
            if frame.protobuf.type == seto.PAYLOAD_SETTINGS_ACCEPTED:
                return True
        session.read()


if __name__ == "__main__":
    sys.exit(main())
