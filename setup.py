"""The C extensions, which pyproject.toml cannot name. All other metadata is there.

LEDGERX_CLOB_DEBUG=1 in the environment builds a book that walks its whole structure after each change.
"""

import os
import sys
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

BOOK = "ledgerx/clob"
ORDERFLOW = "ledgerx/orderflow"
RUNTIME = "ledgerx.orderflow.native.libof_ffi_c"


def files(*patterns: str) -> list[str]:
    """The files of the patterns, in one order on every machine."""
    return sorted(path for pattern in patterns for path in glob(pattern))  # noqa: PTH207


class BuildExtensions(build_ext):
    """Builds the order-flow runtime too, which is a library for any language and no extension of Python."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the runtime as other languages look for it: without Python's own ending."""
        if fullname.rpartition(".")[2] == RUNTIME.rpartition(".")[2]:
            return fullname.replace(".", os.sep) + (".dylib" if sys.platform == "darwin" else ".so")
        return str(super().get_ext_filename(fullname))


EXTENSIONS = [
    Extension(
        "ledgerx.clob._clob",
        sources=files(f"{BOOK}/core/*.c", f"{BOOK}/binding/*.c"),
        depends=files(f"{BOOK}/core/*.h", f"{BOOK}/binding/*.h"),
        define_macros=[("CLOB_DEBUG", "1")] if os.environ.get("LEDGERX_CLOB_DEBUG") else [],
        # The core is inlined into the binding's calls, which saves 7 % of an event. Kinds of events come at
        # random: a chain of comparisons is predicted better than a jump through a table.
        extra_compile_args=["-std=c11", "-O3", "-flto", "-fno-jump-tables", "-fvisibility=hidden"],
        extra_link_args=["-flto", "-O3", "-fno-jump-tables"],
    ),
    Extension(
        RUNTIME,
        sources=files(f"{ORDERFLOW}/native/*.c"),
        depends=files(f"{ORDERFLOW}/native/*.h"),
        define_macros=[("_GNU_SOURCE", "1")],
        # No fused multiply-add: every runtime computes the same averages.
        extra_compile_args=["-std=c11", "-O3", "-flto", "-ffp-contract=off", "-fvisibility=hidden"],
        extra_link_args=["-flto", "-O3", "-pthread"],
        libraries=["m"],
    ),
    Extension(
        "ledgerx.orderflow._runtime",
        sources=files(f"{ORDERFLOW}/binding/*.c"),
        depends=files(f"{ORDERFLOW}/binding/*.h", f"{ORDERFLOW}/native/orderflow.h"),
        extra_compile_args=["-std=gnu11", "-O3", "-fvisibility=hidden"],
    ),
]

setup(ext_modules=EXTENSIONS, cmdclass={"build_ext": BuildExtensions})
