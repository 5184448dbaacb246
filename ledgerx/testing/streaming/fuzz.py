"""Hostile frames: mutated, cut, shuffled and random ones, through the session core and through the desk.

Whatever comes, nothing is raised but errors of ledgerx, which close the session, and the venue goes on.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from typing import Any, Final

from google.protobuf.message import Message

from ledgerx.clock import Random, seeded_random
from ledgerx.errors import Error, VerificationFailed
from ledgerx.exchange.streaming.commands import Asks, Ended, Frames, FrontCommand, Login, Mailbox
from ledgerx.exchange.streaming.desk import StreamingDesk
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.callbacks import Callbacks
from ledgerx.streaming_api.core import Phase, Role, SessionCore
from ledgerx.streaming_api.framing import frame_encode
from ledgerx.streaming_api.payloads import FIELD_OF_TYPE, admin, serialise, wrap

__all__ = ["fuzz_desk", "fuzz_sessions"]

_FRAMES_A_SESSION: Final = 40
_PAYLOADS_A_TURN: Final = 200
_STEP_S: Final = 7.0  # of a session's time between two reads: some die of silence


# ---------------------------------------------------------------------- random messages


def random_message(message: Message, numbers: Random, depth: int = 0) -> Any:
    """Fill a message's fields by chance: mostly small numbers, sometimes the largest there are."""
    fields: Any = message.DESCRIPTOR.fields
    for field in fields:
        if not field.is_required and numbers.random() < 0.4:
            continue
        if field.message_type is not None:
            if depth < 3:
                target = getattr(message, field.name)
                inner = target.add() if hasattr(target, "add") else target
                random_message(inner, numbers, depth + 1)
        elif field.enum_type is not None:
            number = numbers.choice(field.enum_type.values).number
            if hasattr(getattr(message, field.name), "append"):
                getattr(message, field.name).append(number)
            else:
                setattr(message, field.name, number)
        else:
            setattr(message, field.name, _value(field, numbers))
    return message


def _value(field: Any, numbers: Random) -> Any:
    if field.type == field.TYPE_STRING:
        return "x" * numbers.randrange(20)
    if field.type == field.TYPE_BYTES:
        return numbers.randbytes(numbers.randrange(20))
    if field.type == field.TYPE_BOOL:
        return numbers.random() < 0.5
    if field.type == field.TYPE_DOUBLE:
        return numbers.random()
    bits = 32 if field.type == field.TYPE_UINT32 else 64
    chance = numbers.random()
    if chance < 0.6:
        return numbers.choice((0, 1, 2, 5, 100, 5000, 10_000, 20_000))
    return (1 << bits) - 1 if chance < 0.7 else numbers.getrandbits(bits)


def random_payload(numbers: Random) -> seto.Payload:
    """A payload of any type; its number is set when it is framed."""
    kind = numbers.choice(seto.PayloadType.values())
    field = FIELD_OF_TYPE.get(kind)
    if field is None:
        payload = admin(numbers.choice(eto.PayloadType.values()))
        random_message(payload.eto_payload.logout, numbers)
        payload.eto_payload.replay.seq = numbers.randrange(50)
        return payload
    return wrap(random_message(getattr(seto.Payload(), field), numbers))


def random_frames(numbers: Random, counts: Counter[str]) -> bytes:
    """The bytes of many frames, most of them numbered in order, some of them spoilt."""
    out = bytearray()
    seq = 2
    for _ in range(_FRAMES_A_SESSION):
        how = numbers.random()
        data = serialise(random_payload(numbers), seq)
        if how < 0.6:
            seq += 1
            kind = "in order"
        elif how < 0.75:
            data = serialise(random_payload(numbers), max(0, seq + numbers.randrange(-5, 20)))
            kind = "out of order"
        elif how < 0.9:
            spoilt = bytearray(data)
            for _ in range(numbers.randrange(1, 4)):
                spoilt[numbers.randrange(len(spoilt))] = numbers.randrange(256)
            data = bytes(spoilt)
            kind = "mutated"
        else:
            data = numbers.randbytes(numbers.randrange(64))
            kind = "random"
        counts[kind] += 1
        frame_encode(out, data)
    if numbers.random() < 0.3:
        del out[numbers.randrange(len(out)) :]
        counts["cut short"] += 1
    elif numbers.random() < 0.2:
        out[numbers.randrange(len(out))] ^= 1 << numbers.randrange(8)
        counts["a bit turned"] += 1
    return bytes(out)


# ---------------------------------------------------------------------- through the core


def fuzz_sessions(frames: int, seed: int) -> Counter[str]:
    """So many frames through sessions of both roles; what was counted. Raises VerificationFailed."""
    numbers, counts = seeded_random(seed), Counter[str]()
    callbacks = Callbacks()
    while counts["frames"] < frames:
        role = numbers.choice((Role.CLIENT, Role.GATEWAY))
        core = _opened(role)
        data = random_frames(numbers, counts)
        counts["frames"] += _FRAMES_A_SESSION
        counts["sessions"] += 1
        try:
            _run(core, data, numbers, callbacks)
        except Exception as error:
            raise VerificationFailed(f"a session of {role} raised {error!r} for {data.hex()}") from error
        if core.closed_by is not None and not isinstance(core.closed_by, Error):
            raise VerificationFailed(f"a session was closed by {core.closed_by!r}")
        counts["closed"] += core.over
    return counts


def _opened(role: Role) -> SessionCore:
    core = SessionCore(role, 0.0)
    if role is Role.CLIENT:
        core.login(seto.Login(cookie=b"token"), 0.0)
        response = admin(eto.PAYLOAD_LOGIN_RESPONSE)
        response.eto_payload.login_response.session = "fuzz"
        response.eto_payload.login_response.reset = 2
        core.receive(_framed(serialise(response, 1)), 0.0)
    else:
        core.receive(_framed(serialise(wrap(seto.Login(cookie=b"token")), 1)), 0.0)
        core.accept("fuzz", 0.0)
    assert core.phase is Phase.OPEN
    return core


def _run(core: SessionCore, data: bytes, numbers: Random, callbacks: Callbacks) -> None:
    now, position = 0.0, 0
    while position < len(data):
        size = numbers.choice((1, 7, 100, len(data)))
        core.receive(data[position : position + size], now)
        position += size
        while (frame := core.next_frame()) is not None:
            callbacks.dispatch(frame)
        core.tick(now)
        if numbers.random() < 0.1:
            now += _STEP_S
        core.sent(len(core.output))


def _framed(data: bytes) -> bytes:
    out = bytearray()
    frame_encode(out, data)
    return bytes(out)


# ---------------------------------------------------------------------- through the desk


def fuzz_desk(payloads: int, seed: int) -> Counter[str]:
    """So many payloads of any kind as a logged-in session's; each is answered. Raises VerificationFailed."""
    numbers, counts = seeded_random(seed), Counter[str]()
    logging.getLogger("ledgerx.exchange").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="ledgerx-fuzz-") as folder:
        venue = Venue.open(folder)
        venue.start_run()
        front: Mailbox[FrontCommand] = Mailbox()
        desk = StreamingDesk(venue, front)
        try:
            cid = venue.add_account("fuzz", KeyPair.generate().public).cid
            venue.commit()
            key = 0
            while counts["payloads"] < payloads:
                key += 1
                desk.inbox.put(Login(key, cid, None))
                asked = [Asks(key, _numbered(random_payload(numbers), n)) for n in range(_PAYLOADS_A_TURN)]
                desk.inbox.put_all(list(asked))
                try:
                    desk.receive()
                    desk.deliver(venue.commit())
                except Exception as error:
                    raise VerificationFailed(f"the desk raised {error!r}") from error
                for command in front.take(1_000_000):
                    counts["answers"] += len(command.payloads) if isinstance(command, Frames) else 0
                desk.inbox.put(Ended(key, lost=numbers.random() < 0.5))
                counts["payloads"] += _PAYLOADS_A_TURN
        finally:
            desk.close()
            front.close()
            venue.close()
    return counts


def _numbered(payload: seto.Payload, seq: int) -> seto.Payload:
    payload.eto_payload.seq = seq
    return payload
