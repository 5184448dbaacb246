"""Bad networks between a client and the relay's notifications: one that is slow, and one that loses."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import zmq

from ledgerx.history.ingestor_pb2 import FromRelay


@contextmanager
def delaying(endpoint: str, delay_s: float) -> Iterator[str]:
    """Another endpoint for the same, every byte from and to which takes `delay_s` longer."""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    loop, started, opened = asyncio.new_event_loop(), threading.Event(), []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                loop.call_later(delay_s, writer.write, data)
        loop.call_later(delay_s, writer.close)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        opened.append(server.sockets[0].getsockname()[1])
        started.set()

    def run() -> None:
        loop.create_task(serve())
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, name="delaying")
    thread.start()
    assert started.wait(10)
    try:
        yield f"tcp://127.0.0.1:{opened[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class LosingProxy:
    """A ZeroMQ proxy before a publisher, which loses the notifications that `lost` says; it counts them."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> None:
        self.lost = 0
        self.losing: Callable[[int], bool] = lambda number: True
        self._back, self._front = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
        self._front.set(zmq.XPUB_VERBOSE, 1)
        self._back.connect(endpoint)
        self.endpoint = f"tcp://127.0.0.1:{self._front.bind_to_random_port('tcp://127.0.0.1')}"
        self._stopped = threading.Event()
        self._seen = 0
        self._thread = threading.Thread(target=self._run, name="losing")

    def __enter__(self) -> LosingProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._back, zmq.POLLIN)
        poller.register(self._front, zmq.POLLIN)
        while not self._stopped.is_set():
            ready = dict(poller.poll(50))
            if self._front in ready:
                self._back.send(self._front.recv())
            if self._back in ready:
                frames = self._back.recv_multipart()
                if FromRelay.FromString(frames[-1]).HasField("notification"):
                    self._seen += 1
                    if self.losing(self._seen):
                        self.lost += 1
                        continue
                self._front.send_multipart(frames)
        self._back.close(0)
        self._front.close(0)
