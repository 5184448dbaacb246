"""ZeroMQ sockets: one factory a pattern, all with the same options, and CURVE for any of them.

Factories open and configure a socket; they neither bind nor connect it. A socket has one owner
thread, which also closes it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, TypeAlias

import zmq

from ledgerx.errors import Error, InvalidField, InvalidState, QueueFull
from ledgerx.protocol.crypto import KeyPair, check_key

__all__ = [
    "AnyContext",
    "AnySocket",
    "create_socket",
    "dealer",
    "pair",
    "pub",
    "pull",
    "push",
    "rep",
    "req",
    "router",
    "secure_socket",
    "sub",
    "xpub",
    "xsub",
]

AnySocket: TypeAlias = "zmq.Socket[bytes]"
AnyContext: TypeAlias = "zmq.Context[AnySocket]"


def create_socket(
    ctx: AnyContext,
    socket_type: int,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A socket of one type, with IPv6 on.

    `rtimeo` is how long a receive waits, `reconn_ivl` the first and `reconn_ivl_max` the longest pause
    before a reconnection (`reconn_ivl` -1: never reconnect), `linger` how long unsent messages keep the
    context from ending: all in milliseconds, -1 for ever. `send_hwm` and `recv_hwm` are the high-water
    marks in messages, 0 for none.

    Raises InvalidField for an option or context of wrong type or range, InvalidState if the context is
    terminated, QueueFull if the context's or the process's sockets are used up.
    """
    if not isinstance(ctx, zmq.Context):
        raise InvalidField(f"ctx must be a zmq.Context, not {type(ctx).__name__}", field="ctx", value=ctx)
    options = {
        "rtimeo": (zmq.RCVTIMEO, rtimeo),
        "reconn_ivl": (zmq.RECONNECT_IVL, reconn_ivl),
        "reconn_ivl_max": (zmq.RECONNECT_IVL_MAX, reconn_ivl_max),
        "linger": (zmq.LINGER, linger),
        "send_hwm": (zmq.SNDHWM, send_hwm),
        "recv_hwm": (zmq.RCVHWM, recv_hwm),
    }
    try:
        socket = ctx.socket(socket_type)
    except zmq.ZMQError as error:
        raise _mapped(error, socket_type) from error
    try:
        socket.set(zmq.IPV6, 1)
        for name, (option, value) in options.items():
            _set_option(socket, option, name, value)
    except BaseException:
        socket.close(linger=0)
        raise
    return socket


def _mapped(error: zmq.ZMQError, socket_type: object) -> Error:
    """ZeroMQ's refusal to open a socket, as a leaf of the error tree."""
    if error.errno == errno.EMFILE:
        return QueueFull(f"no socket left in this context or process: {error}: close one first")
    if error.errno == zmq.EINVAL:
        return InvalidField(f"{socket_type!r} is no socket type", field="socket_type", value=socket_type)
    return InvalidState(f"the ZeroMQ context opens no socket any more: {error}")


def _set_option(socket: AnySocket, option: int, name: str, value: int) -> None:
    try:
        socket.set(option, value)
    except (zmq.ZMQError, TypeError, OverflowError) as error:
        text = f"{name} cannot be {value!r}: give a whole number as its description says"
        raise InvalidField(text, field=name, value=value) from error


def dealer(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A DEALER: sends round-robin, receives fair-queued; the trading client's request socket.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.DEALER, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def router(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A ROUTER: answers each peer by its routing id; the venue's request socket.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.ROUTER, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def req(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A REQ: one request, then its reply.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.REQ, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def rep(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A REP: one reply to each request.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.REP, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def sub(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A SUB: receives the topics it subscribes; the client's publication socket.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.SUB, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def xsub(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """An XSUB: a SUB whose subscriptions are messages.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.XSUB, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def pub(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A PUB: sends each message to whoever subscribed its topic.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.PUB, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def xpub(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """An XPUB: a PUB that receives the subscriptions; the venue's publication socket.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.XPUB, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def push(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A PUSH: sends each message to one PULL.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.PUSH, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def pull(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A PULL: receives from every PUSH.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.PULL, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def pair(
    ctx: AnyContext,
    rtimeo: int = 1000,
    reconn_ivl: int = 1,
    reconn_ivl_max: int = 1000,
    linger: int = 1000,
    send_hwm: int = 0,
    recv_hwm: int = 0,
) -> AnySocket:
    """A PAIR: exactly one peer; between threads over inproc.

    Options and errors are those of `create_socket`.
    """
    return create_socket(ctx, zmq.PAIR, rtimeo, reconn_ivl, reconn_ivl_max, linger, send_hwm, recv_hwm)


def secure_socket(
    factory: Callable[..., AnySocket],
    secretkey: bytes | str,
    publickey: bytes | str,
    serverkey: bytes | str | None = None,
    *args: Any,
    **kwargs: Any,
) -> AnySocket:
    """A socket of `factory(*args, **kwargs)` that speaks CURVE and nothing else.

    With the server's public key it is a client; without (None) it is a server. A server that must know
    its clients also sets `zap_domain` and `zap_enforce_domain` and runs a ZAP handler: CURVE alone
    encrypts and proves the server's identity, but lets any client in. Raises InvalidKey before a
    socket is opened, and whatever the factory raises.
    """
    keys = KeyPair(publickey, check_key(secretkey, "private key (secretkey)"))
    server = None if serverkey is None else check_key(serverkey, "server's public key (serverkey)")
    socket = factory(*args, **kwargs)
    try:
        socket.curve_secretkey = keys.private
        socket.curve_publickey = keys.public
        if server is None:
            socket.curve_server = True
        else:
            socket.curve_serverkey = server
    except zmq.ZMQError as error:
        socket.close(linger=0)
        raise InvalidState(f"this socket cannot speak CURVE: {error}") from error
    return socket
