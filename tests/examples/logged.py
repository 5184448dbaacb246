"""Run a program with the SDK's dispatch log on its error stream: `logged.py PROGRAM [ARGUMENT ...]`."""

import logging
import runpy
import sys

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(message)s")
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
