"""A REST catalog of Iceberg: the protocol's namespaces and tables over an SQL catalog, for several hosts.

It serves what the clients of `ledgerx.history`, PyIceberg and others need of a catalog: to make, list, load,
drop and commit. Files are read and written by the clients themselves. No staged creation, no views, no
authentication: it listens on loopback, and to others through a proxy that knows them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ledgerx.errors import Error, InvalidAddress, InvalidField, InvalidState, PortTaken
from ledgerx.history.extras import needed
from ledgerx.history.tables import open_catalog
from ledgerx.history.warehouse import close_catalog

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["CATALOG_PORT", "CatalogServer"]

CATALOG_PORT: Final = 8181
_WHAT: Final = "a REST catalog"
_SEPARATOR: Final = "\x1f"
_STATUS: Final = {
    "NoSuchNamespaceError": 404,
    "NoSuchTableError": 404,
    "NamespaceAlreadyExistsError": 409,
    "NamespaceNotEmptyError": 409,
    "TableAlreadyExistsError": 409,
    "CommitFailedException": 409,
    "InvalidField": 400,
    "ValidationError": 400,
    "WarehouseUnavailable": 503,
}
_NAMESPACE: Final = "/v1/namespaces/{namespace}"
_TABLE: Final = f"{_NAMESPACE}/tables/{{table}}"
_ENDPOINTS: Final = (
    "GET /v1/{prefix}/namespaces",
    "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}",
    "DELETE /v1/{prefix}/namespaces/{namespace}",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
)


class CatalogServer:
    """A REST catalog in threads of its own.

    Args:
        uri, warehouse: of the SQL catalog behind it, as for `tables.open_catalog`.
        host, port: where it listens; port 0: any free one.

    Raises MissingExtra without the extras `history` and `exchange`, PortTaken, InvalidAddress.

    """

    def __init__(
        self, uri: str, *, warehouse: str | None = None, host: str = "127.0.0.1", port: int = CATALOG_PORT
    ) -> None:
        uvicorn = needed("uvicorn", _WHAT, "exchange")
        needed("starlette", _WHAT, "exchange")
        if uri.startswith("http"):
            text = f"catalog {uri!r}: a REST catalog is served over an SQL one"
            raise InvalidField(text, field="uri", value=uri)
        self._answers = _Answers(uri, warehouse)
        self._listening = _listen(host, port)
        self.host, self.port = host, int(self._listening.getsockname()[1])
        app = _application(self._answers)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="ledgerx-catalog", daemon=True)

    @property
    def uri(self) -> str:
        """As clients name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Open the catalog behind it and serve. Raises what `tables.open_catalog` raises, InvalidState."""
        if self._thread.ident is not None:
            raise InvalidState("this catalog was started before: make another one")
        try:
            self._answers.open()
        except BaseException:
            self.stop()
            raise
        self._thread.start()

    def stop(self) -> None:
        """End. Connections that are still open are not waited for. May be called again."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._listening.close()
        self._answers.close()

    def __enter__(self) -> CatalogServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        self._server.run(sockets=[self._listening])


class _Answers:
    """What each request does to the catalog, all in one thread: a catalog object belongs to one."""

    def __init__(self, uri: str, warehouse: str | None) -> None:
        self._uri = uri
        self._warehouse = warehouse
        self._catalog: Any = None
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="ledgerx-catalog-sql")

    def open(self) -> None:
        def work() -> None:
            self._catalog = open_catalog(self._uri, warehouse=self._warehouse)

        self.pool.submit(work).result()

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # it was closed before
            self.pool.submit(close_catalog, self._catalog)
        self.pool.shutdown()

    def list_namespaces(self, _path: dict[str, Any], _body: bytes) -> Any:
        return {"namespaces": [list(names) for names in self._catalog.list_namespaces()]}

    def create_namespace(self, _path: dict[str, Any], body: bytes) -> Any:
        wanted = json.loads(body)
        self._catalog.create_namespace(tuple(wanted["namespace"]), wanted.get("properties") or {})
        return {"namespace": wanted["namespace"], "properties": wanted.get("properties") or {}}

    def load_namespace(self, path: dict[str, Any], _body: bytes) -> Any:
        names = _names(path)
        return {"namespace": list(names), "properties": self._catalog.load_namespace_properties(names)}

    def drop_namespace(self, path: dict[str, Any], _body: bytes) -> Any:
        self._catalog.drop_namespace(_names(path))

    def list_tables(self, path: dict[str, Any], _body: bytes) -> Any:
        tables = self._catalog.list_tables(_names(path))
        return {"identifiers": [{"namespace": list(names[:-1]), "name": names[-1]} for names in tables]}

    def create_table(self, path: dict[str, Any], body: bytes) -> Any:
        # What a client leaves out, the model wants to be told is none.
        values = {"location": None, "partition-spec": None, "write-order": None, **json.loads(body)}
        wanted = needed("pyiceberg.catalog.rest", _WHAT).CreateTableRequest.model_validate(values)
        if wanted.stage_create:
            raise InvalidField(
                "stage-create is not served: create the table, then change it",
                field="stage-create",
                value=True,
            )
        given = {"partition_spec": wanted.partition_spec, "sort_order": wanted.write_order}
        table = self._catalog.create_table(
            (*_names(path), wanted.name),
            wanted.table_schema,
            location=wanted.location,
            properties=wanted.properties,
            **{name: value for name, value in given.items() if value is not None},
        )
        return _described(table)

    def load_table(self, path: dict[str, Any], _body: bytes) -> Any:
        return _described(self._catalog.load_table((*_names(path), path["table"])))

    def commit_table(self, path: dict[str, Any], body: bytes) -> Any:
        identifier = (*_names(path), path["table"])
        values = json.loads(body)
        # Not every client repeats in the body which table it is.
        values["identifier"] = {"namespace": list(identifier[:-1]), "name": identifier[-1]}
        wanted = needed("pyiceberg.table", _WHAT).CommitTableRequest.model_validate(values)
        table = self._catalog.load_table(identifier)
        done = self._catalog.commit_table(table, wanted.requirements, wanted.updates)
        return _Described(done.metadata_location, done.metadata)

    def drop_table(self, path: dict[str, Any], _body: bytes) -> Any:
        self._catalog.drop_table((*_names(path), path["table"]))


class _Described:
    """A table as the protocol has it: where its metadata is, and all of it."""

    def __init__(self, location: str, metadata: Any) -> None:
        self.text = f'{{"metadata-location":{json.dumps(location)},"metadata":{metadata.model_dump_json()}}}'


def _described(table: Any) -> _Described:
    return _Described(table.metadata_location, table.metadata)


def _names(path: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(path["namespace"]).split(_SEPARATOR))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        where = f"{host}, port {port}"
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTaken(f"{where}: {error.strerror}: choose another port", port=port) from error
        raise InvalidAddress(f"{where}: cannot be bound: {error.strerror}") from error


def _application(answers: _Answers) -> Starlette:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def config(_request: Request) -> Response:
        return JSONResponse({"defaults": {}, "overrides": {}, "endpoints": list(_ENDPOINTS)})

    served: tuple[tuple[str, dict[str, Callable[[dict[str, Any], bytes], Any]]], ...] = (
        ("/v1/namespaces", {"GET": answers.list_namespaces, "POST": answers.create_namespace}),
        (_NAMESPACE, {"GET": answers.load_namespace, "DELETE": answers.drop_namespace}),
        (f"{_NAMESPACE}/tables", {"GET": answers.list_tables, "POST": answers.create_table}),
        (
            _TABLE,
            {"GET": answers.load_table, "POST": answers.commit_table, "DELETE": answers.drop_table},
        ),
    )
    return Starlette(routes=[Route("/v1/config", config), *_routes(answers, served)])


def _routes(answers: _Answers, served: Any) -> Iterator[Any]:
    from starlette.routing import Route

    for path, methods in served:
        yield Route(path, _endpoint(answers, methods), methods=[*methods, "HEAD"])


def _endpoint(answers: _Answers, methods: dict[str, Callable[[dict[str, Any], bytes], Any]]) -> Any:
    """A handler that does the work in the catalog's thread and maps its errors to the protocol's."""
    import asyncio

    from starlette.responses import JSONResponse, Response

    async def handle(request: Request) -> Response:
        work = methods["GET" if request.method == "HEAD" else request.method]
        body = await request.body()
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(answers.pool, work, dict(request.path_params), body)
        except Exception as error:
            kind = type(error).__name__
            code = _STATUS.get(kind, 400 if isinstance(error, (ValueError, KeyError, Error)) else 500)
            return JSONResponse({"error": {"message": str(error), "type": kind, "code": code}}, code)
        if isinstance(found, _Described):
            return Response(found.text, media_type="application/json")
        return Response(status_code=204) if found is None or request.method == "HEAD" else JSONResponse(found)

    return handle
