# ruff: noqa: INP001
"""How Sphinx builds the documentation: `sphinx-build -W -n -b html docs OUT`, without a network."""

from importlib.metadata import version as installed

project = "heaplaw"
author = "the heaplaw developers"
copyright = author  # noqa: A001
version = release = installed("heaplaw")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
# Headings can be linked to as GitHub links them.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"heaplaw {release}"
html_show_sourcelink = False
html_show_copyright = False
# Verdicts and mappings are text: what is no program is not coloured.
highlight_language = "text"
