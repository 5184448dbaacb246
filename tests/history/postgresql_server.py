"""A PostgreSQL server for tests, of the programs that Debian's package brings, its data thrown away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

USER = "candles"


class Postgresql:
    """A server on a free loopback port; what it writes is not safe from a crash, and quick."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ledgerx-postgresql-"))
        self._databases = 0
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        # The server refuses to run as root: Debian's package made a user for it.
        self._as = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")

    @staticmethod
    def programs() -> Path | None:
        """The folder of the newest installed version's programs."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        return found[-1].parent if found else None

    def database(self) -> str:
        """The URI of a new database."""
        self._databases += 1
        name = f"candles{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", USER, name)
        return f"postgresql+psycopg2://{USER}@127.0.0.1:{self._port}/{name}"

    def __enter__(self) -> Postgresql:
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", USER, "-A", "trust", "--no-sync")
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        folder = self.programs()
        assert folder is not None
        command = [str(folder / program), *arguments]
        # Its output goes nowhere: the server would keep a pipe open.
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            check=False,
            **self._as,
        )
        assert done.returncode == 0, command
