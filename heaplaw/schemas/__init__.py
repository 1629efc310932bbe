"""JSON documents that commands print with --json: the envelope that all share, and a schema for each (2020-12)."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from heaplaw import __version__

__all__ = ["envelope", "load", "names", "text"]


def envelope(command: str, body: Mapping[str, Any], version: int = 1) -> dict[str, Any]:
    """The document of `command`: who wrote it and in which format, then `body`.

    `version` counts up when what is there changes its meaning or goes; what is added does not change it.
    """
    return {"heaplaw": __version__, "format": f"heaplaw.{command}", "version": version, **body}


def text(document: Mapping[str, Any]) -> str:
    """A document as it is printed."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def names() -> list[str]:
    """The commands whose documents have a schema, in order."""
    folder = resources.files(__name__)
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


def load(name: str) -> dict[str, Any]:
    """The schema of the documents of a command; KeyError where there is none."""
    if name not in names():
        raise KeyError(f"{name}: there is no such schema; there are {', '.join(names())}")
    found: dict[str, Any] = json.loads((resources.files(__name__) / f"{name}.json").read_text(encoding="utf-8"))
    return found
