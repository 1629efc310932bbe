"""Mappings for allocators that many machines have: data, in the format of docs/mapping.md.

Each promises what its library's documentation promises, and names the place; shims in C and C++ lie beside them and are
compiled at first use. A user types the file's stem: `heaplaw check obstack`.
"""

from pathlib import Path
from typing import Final

__all__ = ["FOLDER"]

FOLDER: Final = Path(__file__).resolve().parent
"""Where the mappings lie."""
