"""What every test gets: no socket or thread may outlive it, and where recorded market data is."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import zmq

ROOT = Path(__file__).resolve().parent.parent

# A loaded machine is slow, not wrong; a failure prints what reproduces it.
hypothesis.settings.register_profile("ledgerx", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ledgerx")

# A shell without job control starts what it puts into the background with Ctrl-C ignored, and what a test
# starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long sockets and threads that are already closing may take to be gone.
GRACE_S = 5.0


def _event_descriptors() -> int:
    """How many eventfds the process holds: one for each open ZeroMQ socket and thread of a context.

    Looking at descriptors costs microseconds; looking for socket objects, ten milliseconds a test.
    """
    if "LEDGERX_TEST_S3_PLACE" in os.environ:
        return 0  # Arrow's client of S3 keeps some of its own
    folder = Path("/proc/self/fd")
    count = 0
    for entry in folder.iterdir() if folder.exists() else ():
        try:
            count += "eventfd" in str(entry.readlink())
        except OSError:
            continue  # closed meanwhile
    return count


def _open_sockets() -> list[str]:
    kinds = (item for item in gc.get_objects() if issubclass(type(item), zmq.Socket))
    return [f"{item!r} last endpoint {item.last_endpoint!r}" for item in kinds if not item.closed]


def _settles(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    for _ in range(int(GRACE_S / 0.01)):
        if condition():
            return True
        pause.wait(0.01)
    return condition()


@pytest.fixture(autouse=True)
def _nothing_leaks() -> Iterator[None]:
    """Fail a test that leaves a ZeroMQ socket open or a non-daemon thread running."""
    descriptors, threads = _event_descriptors(), set(threading.enumerate())
    yield

    def strays() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread not in threads and not thread.daemon]

    if not _settles(lambda: not strays()):
        pytest.fail(f"threads left running: {strays()}", pytrace=False)
    if not _settles(lambda: _event_descriptors() <= descriptors):
        still_open = "\n  ".join(_open_sockets()) or "none that Python knows: a context was not terminated"
        pytest.fail(f"ZeroMQ sockets or contexts left open:\n  {still_open}", pytrace=False)


@pytest.fixture
def zmq_context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    """A ZeroMQ context that is terminated after the test, whatever became of its sockets."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def shared_data() -> Path:
    """The folder of recorded market data: LEDGERX_TEST_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("LEDGERX_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no market data in {folder}: set LEDGERX_TEST_DATA to the folder that holds lobster/")
    return folder


@pytest.fixture(scope="session")
def published_python() -> Path:
    """The Python that has the streaming protocol's published client; the set-up makes it."""
    python = ROOT / ".venv" / "published-client" / "bin" / "python"
    if not python.exists():
        pytest.skip("the published streaming client could not be installed: bin/_setup test, with a network")
    return python
