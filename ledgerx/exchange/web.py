"""The venue's HTTP front, for people and machines that watch it: no trading, nothing that changes it.

    GET /          what this is, with its ports
    GET /key       the venue's public key, for `pyledgerx --fetch-exchange-key`
    GET /healthz   200 while the venue turns, 503 once it stopped
    GET /metrics   counters in Prometheus' format

Starlette, uvicorn and prometheus-client come with the extra `exchange` and are imported when the front is
made.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import MissingExtra

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["WebFacts", "WebFront"]


@dataclass(frozen=True, slots=True)
class WebFacts:
    """What the front shows: `index` and `key` as JSON objects, and two calls that any thread may make.

    `counters` and `gauges` give numbers by metric name; `healthy` says whether the venue turns.
    """

    index: Mapping[str, Any]
    key: Mapping[str, Any]
    counters: Callable[[], Mapping[str, int]]
    gauges: Callable[[], Mapping[str, int]]
    healthy: Callable[[], bool]


class WebFront:
    """The HTTP server in a thread of its own, on a socket that listens already.

    Raises MissingExtra where the extra is not installed.
    """

    def __init__(self, listening: socket.socket, facts: WebFacts) -> None:
        try:
            import uvicorn

            app = _application(facts)
        except ImportError as error:
            raise MissingExtra("exchange", "the venue's HTTP front") from error
        self._listening = listening
        # No signal handlers off the main thread, no log of its own: the program around it decides.
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="ledgerx-exchange-http", daemon=True)

    def start(self) -> None:
        """Serve. Connections made before the server is up wait in the socket's backlog."""
        self._thread.start()

    def stop(self) -> None:
        """End, and close the socket. Connections that are still open are not waited for."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listening])


def _application(facts: WebFacts) -> Starlette:
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    registry = CollectorRegistry()
    registry.register(_Numbers(facts))

    async def index(_request: Request) -> Response:
        return JSONResponse({"protocol": api.VERSION, **facts.index})

    async def key(_request: Request) -> Response:
        return JSONResponse(dict(facts.key))

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n") if facts.healthy() else PlainTextResponse("stopped\n", 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    handlers = {"/": index, "/key": key, "/healthz": healthz, "/metrics": metrics}
    return Starlette(routes=[Route(path, handler) for path, handler in handlers.items()])


class _Numbers:
    """The venue's numbers as a Prometheus collector: read when asked for, not kept twice."""

    def __init__(self, facts: WebFacts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Any]:
        """Every counter and gauge there is."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name, number in self._facts.counters().items():
            yield CounterMetricFamily(f"ledgerx_{name}", f"{name} since the start", value=number)
        for name, number in self._facts.gauges().items():
            yield GaugeMetricFamily(f"ledgerx_{name}", f"{name} now", value=number)
