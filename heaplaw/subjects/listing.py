"""Mappings by name: those that ship with the package, and the user's."""

import os
from pathlib import Path

from heaplaw.mappings import FOLDER


def folders() -> list[Path]:
    """Where mappings are looked for by name: the user's folders first."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return [Path(".heaplaw"), home / "heaplaw" / "mappings", Path(FOLDER)]


def find_mapping(name: str) -> Path | None:
    """The file of the mapping called `name`."""
    if "/" in name or name.endswith(".toml"):
        return None
    files = (folder / f"{name}.toml" for folder in folders())
    return next((file for file in files if file.is_file()), None)


def names() -> list[str]:
    """The names of all mappings."""
    return sorted({file.stem for folder in folders() for file in folder.glob("*.toml")})
