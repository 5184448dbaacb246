"""Whole programs around a Context, each in a process of its own: what they print, and how they end."""

from __future__ import annotations

import subprocess
import sys

import pytest
from trading_floor import DEADLINE_S, Floor

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.protocol.crypto import KeyPair

# What every program begins with. The recorder's handle_error is taken off again: it would keep errors.
PREAMBLE = """
import logging, os, sys, threading
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.testing.recorder import Recorder

address, private, public, server, contract_id = sys.argv[1:]
contract_id = int(contract_id)

class Quiet(Recorder):
    handle_error = MessageProcessor.handle_error

class Raises(Quiet):
    def handle_status_message(self, msg, prev_msg):
        raise LookupError("in the handler")

def connect(processor):
    context = Context(address, private, public, server, processor)
    context.start()
    return context, Commands(context)
"""


def run(floor: Floor, program: str, keys: KeyPair | None = None) -> subprocess.CompletedProcess[str]:
    """The finished process, which must have ended by itself and with code 0."""
    keys = keys or floor.keys()
    assert keys.private is not None
    texts = [key.decode() for key in (keys.private, keys.public, floor.exchange.public_key)]
    address = f"127.0.0.1:{floor.exchange.request_port}"
    command = [sys.executable, "-c", PREAMBLE + program, address, *texts, str(floor.contract)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert result.returncode == 0, result.stderr
    return result


SESSION = """
context, commands = connect(Quiet)
context.wait_connected()
order = commands.limit_order(contract_id, 1, 100)
assert order.wait(3, 20)
refused = commands.limit_order()
assert not refused.wait(timeout=20)
assert commands.get_contract(all_contracts=True).wait(timeout=20)
context.stop()
context.join()
"""

UNCONNECTED = """
context, commands = connect(Quiet)
for price in range(5, 105, 5):
    commands.limit_order(contract_id, 1, price, wait=False)
"""

FORKED = """
context, commands = connect(Quiet)
context.wait_connected()
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert commands.limit_order(contract_id, 1, 100).wait(3, 20)
"""

FORKED_WHILE_BUSY = """
from ledgerx.clock import SystemClock
from ledgerx.errors import InvalidState

held, release = threading.Event(), threading.Event()

class Holding(SystemClock):
    def unique_hex(self):
        if threading.current_thread() is submitting:
            held.set()
            assert release.wait(20)
        return super().unique_hex()

submitting = None
context = Context.with_settings(None, Holding())(address, private, public, server, Quiet)
context.start()
context.wait_connected()
submitting = threading.Thread(target=Commands(context).limit_order, args=(contract_id, 1, 100))
submitting.start()
assert held.wait(20)
child = os.fork()
if not child:
    assert not context.is_alive() and not context.connected
    try:
        Commands(context).limit_order(contract_id, 1, 100)
    except InvalidState as error:
        print(error, flush=True)
    context.stop()
    context.join()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
release.set()
submitting.join()
assert Commands(context).limit_order(contract_id, 1, 100).wait(3, 20)
"""

INTERRUPTED = """
import signal

class Interrupts(Quiet):
    interrupted = False

    def handle_heartbeat(self, msg, prev_msg):
        if not self.interrupted:
            self.interrupted = True
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

context, commands = connect(Interrupts)
try:
    context.join()
except KeyboardInterrupt:
    print(context.is_alive())
for price in range(5, 105, 5):
    commands.limit_order(contract_id, 1, price, wait=False)
"""

SIGNALED = """
import signal
from ledgerx.clock import SystemClock

class Interrupting(SystemClock):
    armed = False

    def unique_hex(self):
        if self.armed:
            signal.raise_signal(signal.SIGTERM)
        return super().unique_hex()

signal.signal(signal.SIGTERM, lambda number, frame: context.stop())
clock = Interrupting()
context = Context.with_settings(None, clock)(address, private, public, server, Quiet)
context.start()
context.wait_connected()
clock.armed = True
Commands(context).limit_order(contract_id, 1, 100)
context.join()
"""

RAISING = """
{setup}
context, commands = connect(Raises)
commands.limit_order(contract_id, 1, 100)
done = commands.get_positions()
assert done.wait(timeout=20)
context.stop()
context.join()
"""


def test_a_normal_session_prints_nothing(floor: Floor) -> None:
    result = run(floor, SESSION)
    assert (result.stdout, result.stderr) == ("", "")


def test_what_was_submitted_without_waiting_leaves_before_the_program_ends(floor: Floor) -> None:
    keys = floor.keys()
    result = run(floor, "\n".join([UNCONNECTED, "context.wait_connected()"]), keys)
    assert result.stderr == ""
    assert open_orders(floor, keys, 20) == 20


def test_even_where_the_exchange_had_not_answered_yet(floor: Floor) -> None:
    keys = floor.keys()
    run(floor, UNCONNECTED, keys)
    assert open_orders(floor, keys, 20) == 20


def test_a_program_that_is_not_let_in_ends_all_the_same(floor: Floor) -> None:
    result = run(floor, UNCONNECTED, floor.keys(registered=False))
    assert "ClientKeyRefused" in result.stderr


def test_a_join_with_a_timeout_at_the_end_is_enough(floor: Floor) -> None:
    keys = floor.keys()
    run(floor, UNCONNECTED + "context.join(0.01)\n", keys)
    assert open_orders(floor, keys, 20) == 20


def test_a_forked_child_ends_without_the_parents_context(floor: Floor) -> None:
    keys = floor.keys()
    result = run(floor, FORKED, keys)
    assert result.stderr == ""
    assert open_orders(floor, keys, 1) == 1


def test_a_forked_child_is_told_that_the_context_is_its_parents(floor: Floor) -> None:
    keys = floor.keys()
    result = run(floor, FORKED_WHILE_BUSY, keys)
    assert "stayed with the process that forked" in result.stdout
    assert open_orders(floor, keys, 2) == 2


def test_an_interrupted_join_leaves_it_running_and_closed_in_order_at_the_end(floor: Floor) -> None:
    keys = floor.keys()
    result = run(floor, INTERRUPTED, keys)
    assert (result.stdout, result.stderr) == ("True\n", "")
    assert open_orders(floor, keys, 20) == 20


def test_a_signals_handler_may_stop_it_whatever_call_it_interrupts(floor: Floor) -> None:
    assert run(floor, SIGNALED).stderr == ""


def open_orders(floor: Floor, keys: KeyPair, count: int) -> int:
    """How many orders an account has open, once there are `count`: what left is on its way for a moment."""
    trader = floor.trader(keys)
    end = SYSTEM_CLOCK.monotonic() + DEADLINE_S
    while True:
        item = trader.cmd.get_open_orders()
        assert item.wait(timeout=DEADLINE_S)
        found = len(item.answers) - 2
        if found >= count or SYSTEM_CLOCK.monotonic() > end:
            return found


def test_without_a_log_handler_errors_go_to_threadings_excepthook(floor: Floor) -> None:
    setup = "threading.excepthook = lambda hooked: print(hooked.exc_type.__name__, hooked.thread.name)"
    result = run(floor, RAISING.format(setup=setup))
    assert set(result.stdout.splitlines()) == {"LookupError ledgerx-dispatch"}
    assert result.stderr == ""


def test_the_default_excepthook_prints_the_traceback(floor: Floor) -> None:
    result = run(floor, RAISING.format(setup=""))
    assert "in handle_status_message" in result.stderr
    assert "LookupError: in the handler" in result.stderr


@pytest.mark.parametrize("logger", ["", "ledgerx", "ledgerx.sdk"])
def test_with_a_log_handler_errors_go_to_the_log_alone(floor: Floor, logger: str) -> None:
    setup = f"logging.getLogger({logger!r}).addHandler(logging.StreamHandler(sys.stdout))"
    result = run(floor, RAISING.format(setup=setup))
    assert "LookupError: in the handler" in result.stdout
    assert "in handle_status_message" in result.stdout
    assert result.stderr == ""


def test_no_key_is_ever_logged(floor: Floor) -> None:
    keys = floor.keys()
    assert keys.private is not None
    result = run(floor, "logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)\n" + SESSION, keys)
    assert "handle_status_message(MessageStatus 300, MessageLimitOrder)" in result.stdout
    assert keys.private.decode() not in result.stdout + result.stderr
