"""The runtimes every rule is tested over: the native one, its twin, and the published package's."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledgerx.orderflow import Engine, EngineConfig, Symbol
from ledgerx.orderflow._reference import ReferenceEngine

MakeEngine = Callable[..., Any]


def published_library() -> Path:
    """The native library inside the published wheel, which the extra `test` brings where there is one."""
    try:
        files = importlib.metadata.files("orderflow-gregorian09") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("orderflow-gregorian09 is not installed: its wheel is for Linux on x86-64")
    return next(Path(str(file.locate())) for file in files if file.name == "libof_ffi_c.so")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "runtime" in metafunc.fixturenames:
        better = metafunc.definition.get_closest_marker("better")
        runtimes = ["native", "reference"] if better else ["native", "reference", "published"]
        metafunc.parametrize("runtime", runtimes)


@pytest.fixture
def make_engine(runtime: str, tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes started engines of the runtime, in a folder of their own: the published library writes files."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(tmp_path))

        def make(config: EngineConfig | None = None, *, start: bool = True) -> Any:
            config = config or EngineConfig(instance_id="test")
            engine: Any
            if runtime == "reference":
                engine = ReferenceEngine(config)
            else:
                engine = Engine(config, published_library() if runtime == "published" else None)
            stack.callback(engine.close)
            if start:
                engine.start()
            return engine

        yield make


@pytest.fixture
def published() -> Path:
    """The published package's library."""
    return published_library()


@pytest.fixture
def engine(make_engine: MakeEngine) -> Any:
    """A started engine of the runtime with the default settings."""
    return make_engine()


@pytest.fixture
def native() -> Iterator[Engine]:
    """A started engine of our own runtime."""
    with Engine(EngineConfig(instance_id="test")) as engine:
        yield engine


@pytest.fixture
def symbol() -> Symbol:
    """The instrument most tests trade."""
    return Symbol("CME", "ESM6", depth_levels=10)


@pytest.fixture(scope="session")
def thread_compiler() -> str:
    """A compiler with ThreadSanitizer and AddressSanitizer. Debian's gcc brings both."""
    for compiler in filter(None, (os.environ.get("CC"), "gcc", "cc")):
        command = shlex.split(compiler)
        if shutil.which(command[0]) is None:
            continue
        found = [
            subprocess.run(
                [*command, f"-print-file-name={name}"], capture_output=True, text=True, check=False
            )
            for name in ("libtsan.so", "libasan.so")
        ]
        if all(Path(one.stdout.strip()).is_absolute() for one in found):
            return compiler
    pytest.skip("no gcc with libtsan here: apt-get install gcc, or dnf install gcc libtsan libasan")
