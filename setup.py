"""The C extensions, which pyproject.toml cannot name yet. All other metadata is there.

There is none so far: the order book is plain Python behind the interface that the C one will have.
"""

from setuptools import Extension, setup

EXTENSIONS: list[Extension] = []

setup(ext_modules=EXTENSIONS)
