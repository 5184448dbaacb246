"""Compiles and loads the floor: floor.c with the system's compiler at -O3, kept until a source changes."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from _clob.files import folder

SOURCES = [Path(__file__).with_name(name) for name in ("floor.c", "floor.h")]


def load() -> Any:
    """The module: run, match, nothing and Bare. Raises what a missing or failing compiler raises."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    digest = hashlib.sha256(f"{compiler} {suffix}".encode())
    for path in SOURCES:
        digest.update(path.read_bytes())
    target = folder() / f"floor-{digest.hexdigest()[:16]}" / f"clob_floor{suffix}"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        fresh = target.with_suffix(f".{os.getpid()}")
        flags = ["-O3", "-shared", "-fPIC", "-I", sysconfig.get_path("include")]
        subprocess.run([*compiler, *flags, str(SOURCES[0]), "-o", str(fresh)], check=True)
        fresh.rename(target)
    spec = importlib.util.spec_from_file_location("clob_floor", target)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
