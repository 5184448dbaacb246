"""The C extensions, which pyproject.toml cannot name. All other metadata is there.

LEDGERX_CLOB_DEBUG=1 in the environment builds a book that walks its whole structure after each change.
"""

import os
from glob import glob

from setuptools import Extension, setup

BOOK = "ledgerx/clob"

EXTENSIONS = [
    Extension(
        "ledgerx.clob._clob",
        sources=sorted(glob(f"{BOOK}/core/*.c") + glob(f"{BOOK}/binding/*.c")),  # noqa: PTH207
        depends=sorted(glob(f"{BOOK}/core/*.h") + glob(f"{BOOK}/binding/*.h")),  # noqa: PTH207
        define_macros=[("CLOB_DEBUG", "1")] if os.environ.get("LEDGERX_CLOB_DEBUG") else [],
        extra_compile_args=["-std=c11", "-O3", "-fvisibility=hidden"],
    ),
]

setup(ext_modules=EXTENSIONS)
