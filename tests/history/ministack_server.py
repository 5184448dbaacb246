"""An emulator of S3 and of S3 Tables, whose REST catalog is not ours: a process on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

__all__ = ["BUCKET", "PYTHON", "Ministack"]

PYTHON = Path(__file__).parents[2] / ".venv" / "ministack" / "bin" / "python"
"""The Python that has it; the set-up makes it."""
BUCKET = "candles"
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3tables/aws4_request, SignedHeaders=host, Signature=x"
)
_STARTS_IN_S = 30


class Ministack:
    """The emulator with one bucket; `endpoint` is where it is."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
        self._folder = tempfile.TemporaryDirectory(prefix="ledgerx-ministack-")
        self._process: subprocess.Popen[bytes] | None = None
        self._catalogs = 0

    def catalog(self) -> str:
        """The URI of a new REST catalog: a table bucket of its own."""
        self._catalogs += 1
        name = f"tables{self._catalogs}"
        headers = {"Content-Type": "application/json", "Authorization": _SIGNED}
        assert self._put("buckets", json.dumps({"name": name}).encode(), headers)
        arn = urllib.parse.quote(f"arn:aws:s3tables:us-east-1:000000000000:bucket/{name}", safe="")
        return f"{self.endpoint}/iceberg?warehouse={arn}"

    def __enter__(self) -> Ministack:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(
            [PYTHON, "-m", "ministack.app"],
            env={**os.environ, **self._settings},
            cwd=self._folder.name,
            **quiet,  # type: ignore[call-overload]
        )
        pause = threading.Event()
        assert any(self._put(BUCKET) or pause.wait(0.2) for _ in range(5 * _STARTS_IN_S))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _put(self, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bool:
        request = urllib.request.Request(f"{self.endpoint}/{path}", body, headers or {}, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False
