"""How Sphinx builds these pages: `.venv/bin/python -m sphinx -W -b html docs docs/_build/html`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

from ledgerx.sdk.version import __version__  # noqa: E402

project = "ledgerx"
author = "The ledgerx authors"
copyright = "2026, The ledgerx authors"  # noqa: A001
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "schema_tables"]
exclude_patterns = ["_build", "_ext", "examples"]
default_role = "code"

html_theme = "furo"
html_title = f"ledgerx {release}"
html_show_sphinx = False

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
